"""The graph as a whole: what the UI shows must be what the design names."""

import subprocess
import sys
from typing import Any

import dagster as dg

from fakesmrt_assets.definitions import build_definitions, defs
from fakesmrt_assets.jobs import JOBS, SELECTIONS, run_config
from fakesmrt_assets.resources import BuildResource
from warehouse.stages.stage import ASSETS, BuildSettings

GRAPH: list[tuple[str, str, list[str], list[str]]] = [
    ("corpus/source_file", "corpus", [], ["licence_is_spdx"]),
    ("corpus/document", "corpus", ["corpus/source_file"], ["streams_tiled"]),
    ("corpus/chunk", "corpus", ["corpus/document"], ["chunk_ids_unique", "documents_tiled"]),
    ("corpus/search_index", "corpus", ["corpus/chunk"], []),
    ("corpus/duplicate", "corpus", ["corpus/chunk"], []),
    ("corpus/repeated_passage", "corpus", ["corpus/chunk"], []),
    ("corpus/contamination", "corpus", ["corpus/duplicate"], []),
    ("corpus/perplexity", "corpus", ["corpus/duplicate"], []),
    (
        "corpus/training_chunk",
        "corpus",
        ["corpus/contamination", "corpus/perplexity", "corpus/repeated_passage", "corpus/source_file"],
        ["licences_allowed", "near_duplicates_removed", "no_evaluation_item_trained_on", "splits_disjoint"],
    ),
    ("tokens/shard", "tokens", ["corpus/training_chunk"], ["hash_equals_manifest"]),
    ("models/micromodel", "models", ["tokens/shard"], ["loss_finite", "reloads_to_the_same_bytes"]),
    ("models/mixed_model", "models", ["models/micromodel"], ["accepted_or_best_member"]),
    ("models/promoted_model", "models", ["models/mixed_model"], []),
    (
        "reports/corpus_report",
        "reports",
        ["corpus/search_index", "corpus/source_file", "corpus/training_chunk"],
        [],
    ),
    ("reports/eval_report", "reports", ["models/mixed_model"], []),
    (
        "reports/model_card",
        "reports",
        ["corpus/source_file", "models/promoted_model", "reports/eval_report"],
        [],
    ),
    ("reports/lineage_audit", "reports", ["models/promoted_model"], ["lineage_complete"]),
]


def graph_of(definitions: dg.Definitions) -> list[tuple[str, str, list[str], list[str]]]:
    graph = definitions.resolve_asset_graph()
    rows = []
    for key in ASSETS:
        node = graph.get(dg.AssetKey(key.split("/")))
        checks = sorted(check.name for check in graph.asset_check_keys if check.asset_key == node.key)
        rows.append((key, str(node.group_name), sorted(k.to_user_string() for k in node.parent_keys), checks))
    return rows


def test_graph_is_the_one_that_the_design_draws() -> None:
    assert sorted(graph_of(defs)) == sorted(GRAPH)
    assert len(defs.resolve_asset_graph().get_all_asset_keys()) == len(GRAPH)


def test_stages_are_numbered_as_dagster_runs_them() -> None:
    job = defs.resolve_implicit_global_asset_job_def()
    keys = {asset.replace("/", "__"): asset for asset in ASSETS}
    assert [keys[node.name] for node in job.nodes_in_topological_order if node.name in keys] == list(ASSETS)


def test_every_asset_says_what_a_row_is_and_who_owns_it() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert "One row is" in (node.description or ""), key
        assert node.owners == ["team:fakesmrt"], key
        assert 1 <= len(node.kinds) <= 3, key
        assert node.code_version, key
        assert node.pools == {"build"}, key
        assert not node.is_partitioned, key


def test_every_check_is_described_and_stops_what_comes_after() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.asset_check_keys:
        spec = graph.get_check_spec(key)
        assert spec.description, key
        assert spec.blocking, key


def test_definitions_load_without_any_warning_of_dagster() -> None:
    script = (
        "import warnings, dagster as dg\n"
        "for kind in (dg.BetaWarning, dg.PreviewWarning, dg.SupersessionWarning, DeprecationWarning):\n"
        "    warnings.simplefilter('error', kind)\n"
        "from fakesmrt_assets.definitions import defs\n"
        "dg.Definitions.validate_loadable(defs)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def keys_of(job: str) -> set[str]:
    layer = defs.resolve_job_def(job).asset_layer
    return {key.to_user_string() for key in layer.executable_asset_keys}


def test_ingest_reads_and_train_trains_and_together_they_are_the_night() -> None:
    assert {job.name for job in JOBS} == {"ingest", "train", "nightly"}
    assert keys_of("ingest") | keys_of("train") == keys_of("nightly") == set(ASSETS)
    assert keys_of("ingest") & keys_of("train") == set()
    assert "reports/corpus_report" in keys_of("ingest")


def test_a_job_runs_the_checks_of_its_assets() -> None:
    checks = defs.resolve_job_def("ingest").asset_layer.asset_graph.asset_check_keys
    assert {check.name for check in checks} == {
        name for key, _, _, names in GRAPH if key.startswith("corpus/") for name in names
    }


def test_every_selection_names_assets() -> None:
    graph = defs.resolve_asset_graph()
    for name, selection in SELECTIONS.items():
        assert selection.resolve(graph), name


def test_run_configuration_hands_the_settings_to_the_build_resource() -> None:
    settings = BuildSettings(recipe="raw", corpora=("books",), replicates=3, minutes=0.5, steps=7, workers=1)
    config: dict[str, Any] = run_config(settings)
    assert dg.validate_run_config(defs.resolve_job_def("nightly"), config)
    assert BuildResource(**config["resources"]["build"]["config"]).settings() == settings


def test_resource_defaults_are_those_of_the_settings() -> None:
    assert BuildResource().settings() == BuildSettings()


def test_overrides_take_the_place_of_resources() -> None:
    other = build_definitions({"build": BuildResource(recipe="raw")})
    assert other.resources is not None
    assert other.resources["build"].recipe == "raw"
