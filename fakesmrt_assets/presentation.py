"""How a materialisation looks in Dagster: metadata keys, column descriptions, column lineage, pictures.

What lives here: the one mapping from a stage's report to Dagster's metadata. What does not: how pictures are
drawn (``reports/pictures.py``). Numbers, ids, paths and pictures only, never text of a corpus: what the event
log holds cannot be forgotten (DESIGN §4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from fakesmrt_assets.reports import drawing, picture_data, pictures
from fakesmrt_assets.reports.picture_data import RecipeScope
from warehouse.code_versions import code_version
from warehouse.database import Connection, query
from warehouse.files import write_bytes_whole
from warehouse.home import Home
from warehouse.identity import fingerprint
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.references import pinned_reference
from warehouse.stages.stage import StageContext, StageReport

PREFIX = "fakesmrt/"
MOST_PROBLEMS = 50

TABLES: Mapping[str, str] = {
    "corpus/source_file": "corpus.source_file",
    "corpus/document": "corpus.document",
    "corpus/chunk": "corpus.chunk",
    "corpus/search_index": "corpus.search_index",
    "corpus/duplicate": "corpus.duplicate_cluster",
    "corpus/repeated_passage": "corpus.repeated_passage",
    "corpus/contamination": "corpus.contamination",
    "corpus/perplexity": "corpus.perplexity",
    "corpus/training_chunk": "corpus.training_chunk",
    "tokens/shard": "tokens.shard",
    "models/micromodel": "models.checkpoint",
    "models/mixed_model": "models.checkpoint",
    "models/promoted_model": "models.checkpoint",
    "reports/eval_report": "reports.evaluation",
    "reports/lineage_audit": "lineage.model_source",
}
"""The table or view that holds an asset's rows; the other reports are files."""

COLUMN_LINEAGE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "corpus/document": {
        "document_id": ("corpus/source_file.source_id",),
        "stream_id": ("corpus/source_file.source_id",),
        "encoding": ("corpus/source_file.sha256",),
        "language": ("corpus/source_file.sha256",),
        "n_characters": ("corpus/source_file.sha256",),
        "title": ("corpus/source_file.sha256",),
    },
    "corpus/chunk": {
        "chunk_id": ("corpus/document.stream_id",),
        "document_id": ("corpus/document.document_id",),
        "encoding": ("corpus/document.encoding",),
        "encoding_confidence": ("corpus/document.encoding_confidence",),
        "encoding_evidence": ("corpus/document.encoding_evidence",),
        "split": ("corpus/document.document_id",),
    },
    "corpus/duplicate": {
        "chunk_id": ("corpus/chunk.chunk_id",),
        "cluster_id": ("corpus/chunk.chunk_id", "corpus/chunk.text_sha256"),
    },
    "corpus/search_index": {
        "text_file": ("corpus/chunk.text_file",),
        "n_words": ("corpus/chunk.text_sha256",),
    },
    "corpus/repeated_passage": {
        "passage_id": ("corpus/chunk.text_sha256",),
        "first_chunk_id": ("corpus/chunk.chunk_id",),
        "n_documents": ("corpus/chunk.document_id", "corpus/chunk.text_sha256"),
    },
    "corpus/contamination": {
        "chunk_id": ("corpus/chunk.chunk_id",),
        "score": ("corpus/chunk.text_sha256",),
    },
    "corpus/perplexity": {
        "chunk_id": ("corpus/chunk.chunk_id",),
        "fold": ("corpus/duplicate.cluster_id",),
        "bits_per_byte": ("corpus/chunk.text_sha256", "corpus/chunk.n_bytes"),
        "perplexity": ("corpus/chunk.text_sha256",),
        "n_tokens": ("corpus/chunk.text_sha256",),
    },
    "corpus/training_chunk": {
        "chunk_id": ("corpus/chunk.chunk_id",),
        "split": ("corpus/chunk.split",),
        "corpus": ("corpus/source_file.corpus",),
        "bucket": ("corpus/perplexity.bits_per_byte",),
        "keeper_id": ("corpus/duplicate.cluster_id", "corpus/chunk.n_characters"),
        "kept": (
            "corpus/source_file.licence",
            "corpus/chunk.n_words",
            "corpus/chunk.letter_share",
            "corpus/chunk.digit_share",
            "corpus/duplicate.cluster_id",
            "corpus/perplexity.bits_per_byte",
        ),
        "reason": (
            "corpus/source_file.licence",
            "corpus/chunk.n_words",
            "corpus/chunk.letter_share",
            "corpus/chunk.digit_share",
            "corpus/duplicate.cluster_id",
            "corpus/perplexity.bits_per_byte",
        ),
    },
    "tokens/shard": {
        "split": ("corpus/training_chunk.split",),
        "recipe": ("corpus/training_chunk.recipe",),
        "n_chunks": ("corpus/training_chunk.kept",),
        "n_tokens": ("corpus/training_chunk.kept", "corpus/training_chunk.chunk_id"),
    },
    "models/micromodel": {
        "recipe": ("tokens/shard.recipe",),
        "sha256": ("tokens/shard.sha256",),
        "bits_per_byte": ("tokens/shard.sha256", "tokens/shard.n_bytes"),
    },
    "models/mixed_model": {
        "sha256": ("models/micromodel.sha256",),
        "bits_per_byte": ("models/micromodel.sha256",),
    },
    "models/promoted_model": {
        "checkpoint_id": ("models/mixed_model.checkpoint_id",),
        "alias": ("models/mixed_model.checkpoint_id",),
    },
    "reports/eval_report": {
        "checkpoint_id": ("models/mixed_model.checkpoint_id", "models/micromodel.checkpoint_id"),
        "value": ("models/mixed_model.sha256", "models/micromodel.sha256"),
    },
}
"""Which columns of other assets a column is computed from, as ``asset.column``."""


@dataclass(frozen=True)
class Subject:
    """What a picture is of: a recipe's rows, and the experiment that trained last on it, if any did."""

    scope: RecipeScope
    experiment: str | None


@dataclass(frozen=True)
class Picture:
    """A picture of an asset: what to read from the database, and how to draw it."""

    name: str
    read: Callable[[Connection, Subject], Any]
    draw: Callable[[Any], bytes]


def _of_experiment(read: Callable[[Connection, str], Any]) -> Callable[[Connection, Subject], Any]:
    """The same reading where there is an experiment, else nothing."""
    return lambda connection, subject: read(connection, subject.experiment) if subject.experiment else None


CHUNK_LENGTHS = Picture(
    "chunk_lengths",
    lambda connection, subject: picture_data.chunk_lengths(connection, subject.scope),
    pictures.chunk_lengths,
)
CLUSTER_SIZES = Picture(
    "cluster_sizes",
    lambda connection, subject: picture_data.cluster_sizes(connection, subject.scope),
    pictures.cluster_sizes,
)
PASSAGES = Picture(
    "repeated_passages",
    lambda connection, subject: picture_data.passage_spread(connection, subject.scope),
    pictures.passage_spread,
)
PERPLEXITY = Picture(
    "perplexity_histograms",
    lambda connection, subject: picture_data.corpus_scores(connection, subject.scope),
    pictures.perplexity_histograms,
)
KEPT = Picture(
    "kept_and_dropped",
    lambda connection, subject: picture_data.decided(connection, subject.scope.recipe),
    pictures.kept_and_dropped,
)
LOSS = Picture("loss_curves", _of_experiment(picture_data.training_curves), pictures.loss_curves)
WEIGHTS = Picture("mixing_weights", _of_experiment(picture_data.mixing_weights), pictures.mixing_weights)
LINEAGE = Picture(
    "lineage",
    _of_experiment(picture_data.lineage),
    lambda boxes_and_arrows: pictures.lineage_picture(*boxes_and_arrows),
)
SCORES = Picture(
    "bits_per_byte",
    lambda connection, subject: (
        picture_data.scores(connection, subject.scope.recipe, subject.experiment).get("all")
        if subject.experiment
        else None
    ),
    pictures.bits_per_byte_bars,
)

PICTURES: Mapping[str, tuple[Picture, ...]] = {
    "corpus/chunk": (CHUNK_LENGTHS,),
    "corpus/duplicate": (CLUSTER_SIZES,),
    "corpus/repeated_passage": (PASSAGES,),
    "corpus/perplexity": (PERPLEXITY,),
    "corpus/training_chunk": (KEPT, PERPLEXITY),
    "models/micromodel": (LOSS,),
    "models/mixed_model": (WEIGHTS, LINEAGE),
    "models/promoted_model": (LINEAGE,),
    "reports/corpus_report": (KEPT,),
    "reports/eval_report": (SCORES, LOSS),
    "reports/lineage_audit": (LINEAGE,),
}
"""The pictures that belong to each asset."""


def stage_metadata(context: StageContext, report: StageReport) -> dict[str, dg.MetadataValue[Any]]:
    """Everything that the UI shows of a materialisation.

    Args:
        context: what the stage worked with.
        report: what it did.

    Returns:
        ``dagster/row_count`` and, where the asset is a table, ``dagster/table_name``,
        ``dagster/column_schema`` and ``dagster/column_lineage``; ``fakesmrt/<name>`` for every count, for the
        wall time in seconds, for problems and for each picture.
    """
    with context.warehouse.read() as connection:
        values = _values(report) | _table(connection, report.asset)
        subject = _subject(connection, context)
        read = [(picture, picture.read(connection, subject)) for picture in PICTURES.get(report.asset, ())]
    for picture, data in read:
        if data:
            png = _drawn(context.warehouse.home, picture, data)
            values[PREFIX + picture.name] = dg.MetadataValue.md(drawing.as_markdown(png))
    return values


def _drawn(home: Home, picture: Picture, data: object) -> bytes:
    """The picture of `data`; drawn once, because drawing takes most of the time of a build with nothing to do."""
    version = fingerprint(
        picture.name,
        repr(data),
        code_version("fakesmrt_assets.reports.drawing", "fakesmrt_assets.reports.pictures"),
    )
    path = home.reports / "pictures" / f"{version}.png"
    if not path.exists():
        write_bytes_whole(path, picture.draw(data))
    return path.read_bytes()


def _values(report: StageReport) -> dict[str, dg.MetadataValue[Any]]:
    values: dict[str, dg.MetadataValue[Any]] = {
        "dagster/row_count": dg.MetadataValue.int(report.n_rows),
        PREFIX + "up_to_date": dg.MetadataValue.bool(report.up_to_date),
        PREFIX + "wall_time_s": dg.MetadataValue.float(round(report.seconds, 3)),
    }
    for name, value in report.counts.items():
        values[PREFIX + name] = _value(value)
    if report.problems:
        listed = [f"- `{_one_line(problem)}`" for problem in report.problems[:MOST_PROBLEMS]]
        n_more = len(report.problems) - MOST_PROBLEMS
        listed += [f"- and {n_more:,} more"] if n_more > 0 else []
        values[PREFIX + "problems"] = dg.MetadataValue.md("\n".join(listed))
    return values


def _one_line(problem: str) -> str:
    """The problem as Markdown can quote it: names of files may hold anything."""
    return " ".join(problem.replace("`", "'").split())


def _value(value: int | float | str) -> dg.MetadataValue[Any]:
    if isinstance(value, str):
        return dg.MetadataValue.text(value)
    if isinstance(value, int):
        return dg.MetadataValue.int(value)
    return dg.MetadataValue.float(value)


def _table(connection: Connection, asset: str) -> dict[str, dg.MetadataValue[Any]]:
    if asset not in TABLES:
        return {}
    schema, _, table = TABLES[asset].partition(".")
    columns = connection.execute(query("described_columns"), {"schema": schema, "table": table}).fetchall()
    values: dict[str, dg.MetadataValue[Any]] = {
        "dagster/table_name": dg.MetadataValue.text(f"warehouse.{TABLES[asset]}"),
        "dagster/column_schema": dg.MetadataValue.table_schema(
            dg.TableSchema([dg.TableColumn(name, type_, comment) for name, type_, comment in columns])
        ),
    }
    if asset in COLUMN_LINEAGE:
        values["dagster/column_lineage"] = dg.MetadataValue.column_lineage(_column_lineage(asset))
    return values


def _column_lineage(asset: str) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        {
            column: [_column_dependency(source) for source in sources]
            for column, sources in COLUMN_LINEAGE[asset].items()
        }
    )


def _column_dependency(source: str) -> dg.TableColumnDep:
    asset, _, column = source.partition(".")
    return dg.TableColumnDep(dg.AssetKey(asset.split("/")), column)


def _subject(connection: Connection, context: StageContext) -> Subject:
    recipe = context.recipe
    reference = pinned_reference(connection, context)
    scope = RecipeScope(
        recipe=recipe.name,
        chunking_id=recipe_chunking(context)[1],
        reference_id=reference.reference_id if reference else None,
        threshold=recipe.duplicates.threshold,
    )
    return Subject(scope, picture_data.newest_experiment(connection, recipe.name))
