"""Stage corpus/training_chunk: the recipe recorded, so that the view applies it; and what it keeps, counted.

Nothing is computed about the chunks here: ``kept`` and ``reason`` follow from stored columns by SQL alone.
"""

from __future__ import annotations

from importlib.resources import files

from warehouse.database import query, read_rows, run_script
from warehouse.errors import CheckFailed
from warehouse.identity import fingerprint
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.references import pinned_reference, require_corpora
from warehouse.stages.source_file import LICENCES, WEIGHTS
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions, recorded_inputs
from warehouse.training_chunks import ReasonCount

ASSET = "corpus/training_chunk"
CODE = ("warehouse.recipes", "warehouse.stages.training_chunk")


def _view_version() -> str:
    return fingerprint((files("warehouse") / "views" / "corpus_training_chunk.sql").read_text())


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    recipe = context.recipe
    inputs = {
        **input_versions(
            context,
            dict.fromkeys(
                ("corpus/perplexity", "corpus/repeated_passage", "corpus/contamination"), recipe.name
            ),
        ),
        **recorded_inputs(context, "corpus/source_file", [LICENCES, WEIGHTS]),
        "recipe": recipe.sha256.hex(),
        "view": _view_version(),
    }
    return StageRun(context, ASSET, recipe.name, inputs, CODE)


def run(context: StageContext) -> StageReport:
    """Record the recipe and count what it keeps; publish the database."""
    recipe = context.recipe
    stage = version(context)
    if stage.up_to_date():
        last = stage.last()
        context.warehouse.publish()
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    with context.warehouse.read() as connection:
        require_corpora(
            recipe, [row[0] for row in connection.execute("SELECT corpus FROM corpus.corpus").fetchall()]
        )
    with context.warehouse.write("recording the recipe") as connection:
        reference = pinned_reference(connection, context)
        run_script(
            connection,
            "record_recipe",
            {
                "recipe": recipe.name,
                "sha256": recipe.sha256,
                "chunking_id": recipe_chunking(context)[1],
                "reference_id": reference.reference_id if reference else None,
                "definition": recipe.to_json(),
            },
        )
        reasons = read_rows(connection, query("count_reasons"), {"recipe": recipe.name}, ReasonCount)
        n_kept = sum(row.n_chunks for row in reasons if row.reason is None and row.split == "train")
        if n_kept == 0:
            raise CheckFailed(
                f"Recipe {recipe.name} keeps no chunk to train on",
                "Add text (fakesmrt add), or loosen the recipe's rules; fakesmrt plan shows them",
            )
        stage.record(connection, sum(row.n_chunks for row in reasons if row.reason is None))
    context.warehouse.publish()
    return stage.report(
        sum(row.n_chunks for row in reasons if row.reason is None),
        {
            "n_chunks_kept": sum(row.n_chunks for row in reasons if row.reason is None),
            "n_chunks_dropped": sum(row.n_chunks for row in reasons if row.reason is not None),
            "kept_bytes": sum(row.n_bytes for row in reasons if row.reason is None),
            **{
                f"n_dropped_{reason}": sum(row.n_chunks for row in reasons if row.reason == reason)
                for reason in sorted({row.reason for row in reasons if row.reason is not None})
            },
        },
    )
