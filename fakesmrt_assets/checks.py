"""The blocking checks: what must hold before anything is made from an asset.

What lives here: each check's name, description and inspection. Inspections in SQL lie in
``warehouse/queries/check_*.sql`` and return one row: how much was examined, how much is wrong, examples.
What does not: repairing.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from fakesmrt_assets.assets.stage_asset import asset_key, explained_failures
from fakesmrt_assets.resources import BuildResource, HomeResource
from warehouse.cleanser.records import record_readers
from warehouse.database import Warehouse, query, read_rows
from warehouse.decontamination.evaluation_files import read_file
from warehouse.decontamination.item_index import searched_items
from warehouse.decontamination.recheck import first_found, needles
from warehouse.decontamination.registry import current_files, registered_locations
from warehouse.decontamination.search import NGRAM_OVERLAP
from warehouse.errors import CorruptArtefact, InvalidConfiguration
from warehouse.files import fetched_folder, file_sha256
from warehouse.licences import canonical_licence
from warehouse.recipes import Recipe
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.duplicate import TextPlace, texts_at
from warehouse.stages.stage import BuildSettings, StageContext
from warehouse.tokens.shards import open_shard

N_EXAMPLES = 5

N_SEARCHED_AGAIN = 20_000
N_ITEMS_AGAIN = 2_000
"""Chunks and evaluation items of the second search, which is a thousand times slower than the first."""

DECISION_FILE = "mix.json"
"""As ``fakesmrt_models.mixing.mix`` names it, which imports torch."""


@dataclass(frozen=True)
class Finding:
    """What an inspection saw.

    Attributes:
        n_examined: rows, pairs, files or tokens looked at.
        n_violations: how many of them are wrong.
        examples: at most `N_EXAMPLES` of those, in words.
    """

    n_examined: int
    n_violations: int
    examples: list[str]


Inspection = Callable[[Warehouse, BuildSettings], Finding]


def finding(examined: int, violations: Iterable[str]) -> Finding:
    """A finding from a list of what is wrong."""
    wrong = sorted(violations)
    return Finding(examined, len(wrong), wrong[:N_EXAMPLES])


def by_query(name: str, *parameters: str) -> Inspection:
    """An inspection by ``check_<name>.sql``; `parameters` are fields of the build settings that it binds."""

    def inspect(warehouse: Warehouse, settings: BuildSettings) -> Finding:
        values = settings.to_dict()
        with warehouse.read() as connection:
            return read_rows(
                connection, query(f"check_{name}"), {key: values[key] for key in parameters}, Finding
            )[0]

    return inspect


def inspect_licences(warehouse: Warehouse, _settings: BuildSettings) -> Finding:
    """Each current file's licence must be an SPDX expression."""
    with warehouse.read() as connection:
        licences = connection.execute(query("licences_of_current_files")).fetchall()
    wrong = []
    for licence, n_files in licences:
        try:
            canonical_licence(licence)
        except InvalidConfiguration as error:
            wrong.append(f"{n_files} files: {error.cause}")
    return finding(sum(n_files for _, n_files in licences), wrong)


def inspect_documents(warehouse: Warehouse, settings: BuildSettings) -> Finding:
    """The recipe's chunking must account for every byte of the documents."""
    _, chunking_id = recipe_chunking(StageContext(warehouse, settings))
    parameters = {
        "chunking_id": chunking_id,
        "corpora": list(settings.corpora),
        "record_readers": record_readers(),
    }
    with warehouse.read() as connection:
        return read_rows(connection, query("check_documents_tiled"), parameters, Finding)[0]


def inspect_shards(warehouse: Warehouse, settings: BuildSettings) -> Finding:
    """Each shard file must hash to what both its manifest and the database say."""
    with warehouse.read() as connection:
        shards = connection.execute(query("shard_files"), {"recipe": settings.recipe}).fetchall()
    wrong = []
    for relative, sha256 in shards:
        try:
            shard = open_shard((warehouse.home.tokens / relative).with_suffix(".json"), verify=True)
        except CorruptArtefact as error:
            wrong.append(error.cause)
            continue
        if bytes.fromhex(shard.manifest.sha256) != sha256:
            wrong.append(f"{relative}: the manifest and the database state different hashes")
    return finding(len(shards), wrong)


def _searched_again(warehouse: Warehouse, recipe: Recipe) -> Finding:
    """A plain search through chunks that are trained on, for a sample of the items that the recipe counts."""
    counted = recipe.decontamination
    with warehouse.read() as connection:
        locations = registered_locations(connection)
        common = {item_id.bytes for (item_id,) in connection.execute(query("common_items")).fetchall()}
        parameters = {"recipe": recipe.name, "n_chunks": N_SEARCHED_AGAIN}
        places = read_rows(connection, query("trained_on_sample"), parameters, TextPlace)
    files = [
        file
        for file in current_files(locations)
        if not counted.evaluation_sets or file.evaluation_set in counted.evaluation_sets
    ]
    if not files or NGRAM_OVERLAP not in counted.rules:
        return finding(0, [])
    items = [item for file in files for item in searched_items(read_file(file.path, file.fields))]
    sample = sorted({item.item_id: item for item in items if item.item_id not in common}.items())[
        :N_ITEMS_AGAIN
    ]
    sought = needles(passage for _, item in sample for passage in item.passages)
    texts = texts_at(warehouse.home.text, places)
    found = [(chunk_id, first_found(sought, text)) for chunk_id, text in texts.items()]
    return finding(
        len(texts),
        [f"chunk {chunk_id} holds the words of an item" for chunk_id, run in found if run is not None],
    )


def inspect_evaluation_items(warehouse: Warehouse, settings: BuildSettings) -> Finding:
    """No evaluation item and no held-out text may be trained on."""
    recipe = StageContext(warehouse, settings).recipe
    with warehouse.read() as connection:
        locations = registered_locations(connection)
    file_ids = [file.file_id for file in current_files(locations)]
    parameters = {"recipe": settings.recipe, "file_ids": file_ids}
    with warehouse.read() as connection:
        recorded = read_rows(connection, query("check_evaluation_items_removed"), parameters, Finding)[0]
    again = _searched_again(warehouse, recipe)
    return Finding(
        recorded.n_examined,
        recorded.n_violations + again.n_violations,
        [*recorded.examples, *again.examples][:N_EXAMPLES],
    )


def inspect_checkpoints(warehouse: Warehouse, settings: BuildSettings) -> Finding:
    """Each trained model's weights must hash to what was recorded when they were saved."""
    with warehouse.read() as connection:
        models = connection.execute(query("checkpoint_files"), {"recipe": settings.recipe}).fetchall()
    wrong = []
    for relative, sha256 in models:
        weights = fetched_folder(warehouse.home.models / relative) / "model.safetensors"
        if not weights.is_file():
            wrong.append(f"{relative}: {weights.name} is gone")
        elif file_sha256(weights) != sha256:
            wrong.append(f"{relative}: {weights.name} holds other bytes")
    return finding(len(models), wrong)


def _wrong_with_mix(folder: Path, n_members: int) -> str | None:
    """What is wrong with a mixed model that `n_members` have a share in, None if nothing is."""
    if n_members == 1:
        return None
    record = folder / DECISION_FILE
    if not record.is_file():
        return f"no decision is recorded for a mix of {n_members}"
    decision = json.loads(record.read_text())["decision"]
    on_select = decision["select_bits_per_byte"]
    better_on_select = on_select[decision["chosen"]] < on_select[decision["best_member"]]
    if decision["accepted"] and better_on_select and decision["confirm_gain_low"] > 0:
        return None
    return f"a mix of {n_members} that was not accepted: {decision['reason']}"


def inspect_mixes(warehouse: Warehouse, settings: BuildSettings) -> Finding:
    """Each mixed model must be one member alone, or a mix that beat the best one on select and on confirm."""
    with warehouse.read() as connection:
        mixes = connection.execute(query("mixed_models"), {"recipe": settings.recipe}).fetchall()
    wrong = []
    for relative, n_members in mixes:
        if problem := _wrong_with_mix(fetched_folder(warehouse.home.models / relative), n_members):
            wrong.append(f"{relative}: {problem}")
    return finding(len(mixes), wrong)


def check(asset: str, name: str, inspect: Inspection, description: str) -> dg.AssetChecksDefinition:
    """A blocking check: nothing downstream is built in a run where it fails."""

    @dg.asset_check(asset=asset_key(asset), name=name, description=description, blocking=True)
    def run_check(home: HomeResource, build: BuildResource) -> dg.AssetCheckResult:
        with explained_failures():
            found = inspect(home.warehouse(), build.settings())
        return dg.AssetCheckResult(
            passed=found.n_violations == 0,
            description="; ".join(found.examples) or None,
            metadata={"fakesmrt/n_examined": found.n_examined, "fakesmrt/n_violations": found.n_violations},
        )

    return run_check


CHECKS = [
    check(
        "corpus/source_file",
        "licence_is_spdx",
        inspect_licences,
        "Every current file has a licence, and it is an SPDX expression.",
    ),
    check(
        "corpus/document",
        "streams_tiled",
        by_query("streams_tiled"),
        "Every byte accounted for: documents and the ranges dropped outside them tile each stream exactly.",
    ),
    check(
        "corpus/chunk",
        "documents_tiled",
        inspect_documents,
        "Everything accounted for: chunks and what was dropped inside tile each document, a plain one in its bytes, "
        "a record in the characters that its reader extracted.",
    ),
    check(
        "corpus/chunk",
        "chunk_ids_unique",
        by_query("chunk_ids_unique"),
        "No chunk_id stands twice.",
    ),
    check(
        "corpus/training_chunk",
        "licences_allowed",
        by_query("licences_allowed", "recipe"),
        "Every kept chunk comes from a file whose licence is present and allowed by the recipe.",
    ),
    check(
        "corpus/training_chunk",
        "near_duplicates_removed",
        by_query("near_duplicates_removed", "recipe"),
        "Of two chunks whose true Jaccard similarity reaches the recipe's threshold at most one is kept.",
    ),
    check(
        "corpus/training_chunk",
        "splits_disjoint",
        by_query("splits_disjoint", "recipe"),
        "No text and no cluster of near-duplicates stands both in the train split and in a held-out one.",
    ),
    check(
        "corpus/training_chunk",
        "no_evaluation_item_trained_on",
        inspect_evaluation_items,
        "Every chunk was searched for every evaluation item and for held-out text; none that counts is trained on, and "
        "a second, plain search through a sample finds none.",
    ),
    check(
        "tokens/shard",
        "hash_equals_manifest",
        inspect_shards,
        "The bytes of every current shard hash to what its manifest and the database say.",
    ),
    check(
        "models/micromodel",
        "loss_finite",
        by_query("loss_finite", "recipe"),
        "Every logged loss and every model's bits per byte is a finite number.",
    ),
    check(
        "models/micromodel",
        "reloads_to_the_same_bytes",
        inspect_checkpoints,
        "The weights of every trained model hash to what was recorded when they were saved.",
    ),
    check(
        "models/mixed_model",
        "accepted_or_best_member",
        inspect_mixes,
        "The mix beat its best member on the confirm split, or it is that member unchanged.",
    ),
    check(
        "reports/lineage_audit",
        "lineage_complete",
        by_query("lineage_complete", "recipe"),
        "Every token that the promoted model was trained on leads to a chunk, a file and a licence.",
    ),
]
