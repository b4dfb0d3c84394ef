"""What a run leaves in Dagster: materialisations with versions and metadata, verdicts, and clear failures."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from fakesmrt_assets.assets.stage_asset import asset_key, explained_failures
from fakesmrt_assets.definitions import build_definitions
from fakesmrt_assets.listening import logged_progress
from fakesmrt_assets.planning import plan_build
from fakesmrt_assets.resources import BuildResource, HomeResource
from warehouse.database import Warehouse
from warehouse.errors import InvalidConfiguration, TrainingFailed
from warehouse.stages.stage import ASSETS, BuildSettings


def materializations(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetMaterialization]:
    return {
        event.asset_key.to_user_string(): event.step_materialization_data.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }


def versions(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    return {key: (made.tags or {})["dagster/data_version"] for key, made in materializations(result).items()}


def test_one_run_makes_every_asset_and_passes_every_check(built) -> None:
    assert set(materializations(built.first_run)) == set(ASSETS)
    verdicts = {verdict.check_name: verdict for verdict in built.first_run.get_asset_check_evaluations()}
    assert len(verdicts) == 13
    assert {name for name, verdict in verdicts.items() if not verdict.passed} == set()
    idle = {name for name, verdict in verdicts.items() if verdict.metadata["fakesmrt/n_examined"].value == 0}
    assert idle <= {"near_duplicates_removed"}


def test_every_materialisation_says_how_many_rows_it_has(built) -> None:
    for key, made in materializations(built.first_run).items():
        assert "dagster/row_count" in made.metadata, key


def test_nothing_changes_where_nothing_is_stale(built) -> None:
    again = built.materialise()
    assert versions(again) == versions(built.first_run)
    with built.warehouse.read() as connection:
        commits = connection.execute(
            "SELECT asset, count(*) AS n FROM meta.materialization GROUP BY asset HAVING n > 1"
        ).fetchall()
    assert commits == []


def planned(built, **settings: object) -> dict[str, bool | None]:
    """Whether each stage would run."""
    stages = plan_build(built.warehouse.home, BuildSettings(workers=1, **settings))
    return {stage.asset: stage.runs for stage in stages}


def test_a_plan_of_what_was_built_is_empty(built) -> None:
    assert planned(built, steps=2) == dict.fromkeys(ASSETS, False)


def test_another_budget_is_planned_from_the_micromodels_on(built) -> None:
    assert {asset for asset, runs in planned(built, steps=3).items() if runs is not False} == {
        "models/micromodel",
        "models/mixed_model",
        "models/promoted_model",
        "reports/eval_report",
        "reports/model_card",
        "reports/lineage_audit",
    }


def test_a_failed_check_stops_what_comes_after_it(breakable: Warehouse) -> None:
    with breakable.write("damage") as connection:
        connection.execute("UPDATE corpus.stream SET n_bytes = n_bytes + 1")
    definitions = build_definitions(
        {"home": HomeResource(root=str(breakable.home.root)), "build": BuildResource(workers=1)}
    )
    result = definitions.resolve_job_def("ingest").execute_in_process(
        instance=dg.DagsterInstance.ephemeral(), raise_on_error=False
    )
    assert not result.success
    assert set(materializations(result)) == {"corpus/source_file", "corpus/document"}


def test_a_missing_home_fails_with_its_remedy(tmp_path: Path) -> None:
    definitions = build_definitions({"home": HomeResource(root=str(tmp_path / "nowhere"))})
    result = definitions.resolve_job_def("ingest").execute_in_process(
        instance=dg.DagsterInstance.ephemeral(), raise_on_error=False
    )
    [failure] = [
        event for event in result.all_events if event.is_step_failure and "source_file" in str(event.step_key)
    ]
    assert "fakesmrt init" in str(failure.step_failure_data.user_failure_data)


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (TrainingFailed("The child is gone", "Run it again"), True),
        (InvalidConfiguration("No", "Mend it"), False),
    ],
)
def test_only_lost_training_is_tried_again(error: Exception, again: bool) -> None:
    with pytest.raises(dg.Failure) as caught, explained_failures():
        raise error
    assert caught.value.allow_retries is again
    assert caught.value.description == str(error)


def ticks(*seconds: float) -> Iterator[float]:
    yield from seconds


def test_progress_is_logged_sparingly() -> None:
    lines: list[str] = []
    clock = ticks(0, 10, 29, 31, 31, 40, 62, 62)
    progress = logged_progress(lines.append, clock=lambda: next(clock))
    for done in (10, 20, 30, 40, 50):
        progress(done, 100, "chunks")
    assert lines == ["30% chunks", "50% chunks"]


def test_progress_without_a_total_counts() -> None:
    lines: list[str] = []
    clock = ticks(0, 31, 31)
    logged_progress(lines.append, clock=lambda: next(clock))(1234, 0, "tokens")
    assert lines == ["1,234 tokens"]


def test_keys_are_schema_and_table() -> None:
    assert asset_key("corpus/chunk").path == ["corpus", "chunk"]
