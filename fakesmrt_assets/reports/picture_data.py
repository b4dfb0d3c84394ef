"""What the pictures show, read from the Training Database by the queries ``picture_*.sql``.

What lives here: from rows to the values that ``pictures.py`` draws. Neither holds any text of a corpus.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from fakesmrt_assets.reports.pictures import (
    Arrow,
    Box,
    CorpusScores,
    Decided,
    Histogram,
    PassageSpread,
    Score,
    TrainingCurve,
)
from warehouse.database import Connection, query, read_rows, scalar
from warehouse.errors import InvalidConfiguration

LENGTH_BIN = 100.0
BITS_BIN = 0.1
SOURCE_CHARACTERS = 24
MOST_SOURCES = 8
"""Boxes of corpora in a lineage picture; the smaller ones share a box."""


@dataclass(frozen=True)
class RecipeScope:
    """Which rows of the Training Database a recipe looks at.

    Attributes:
        recipe: its name.
        chunking_id: the chunks.
        reference_id: the perplexity scores; None where nothing is pinned for it yet.
        threshold: the duplicate clusters.
    """

    recipe: str
    chunking_id: UUID
    reference_id: UUID | None
    threshold: float


def recorded_scope(connection: Connection, recipe: str) -> RecipeScope:
    """The scope of a recipe as it was last built.

    Raises:
        InvalidConfiguration: if it was never built.
    """
    rows = read_rows(connection, query("recipe_scope"), {"recipe": recipe}, RecipeScope)
    if not rows:
        raise InvalidConfiguration(f"The recipe {recipe!r} was not built yet", "Run: fakesmrt build corpus")
    return rows[0]


def newest_experiment(connection: Connection, recipe: str) -> str | None:
    """Name of the experiment that trained last on a recipe; None where none did."""
    rows = connection.execute(query("current_experiment"), {"recipe": recipe}).fetchall()
    return str(rows[0][0]) if rows else None


def model_name(kind: str, replicate: int | None) -> str:
    """``micromodel 0``, ``mixed model``: how people call a checkpoint."""
    name = kind.replace("_", " ")
    return name if replicate is None else f"{name} {replicate}"


def chunk_lengths(connection: Connection, scope: RecipeScope) -> Histogram:
    """Characters of the chunks."""
    rows = connection.execute(query("picture_chunk_lengths"), {"chunking_id": scope.chunking_id}).fetchall()
    return _histogram(rows, LENGTH_BIN)


def corpus_scores(connection: Connection, scope: RecipeScope) -> list[CorpusScores]:
    """Bits per byte of each corpus's chunks; with buckets where the recipe was built with these scores."""
    parameters = {"recipe": scope.recipe, "reference_id": scope.reference_id}
    rows = connection.execute(query("picture_perplexity"), {"reference_id": scope.reference_id}).fetchall()
    ends = connection.execute(query("picture_buckets"), parameters).fetchall()
    ends_of = {corpus: bounds for corpus, *bounds in ends}
    return [
        CorpusScores(
            corpus,
            _histogram([row[1:] for row in of_corpus], BITS_BIN),
            *ends_of.get(corpus, (None, None, None)),
        )
        for corpus, of_corpus in groupby(rows, key=lambda row: row[0])
    ]


def _histogram(rows: Sequence[tuple[float, int]], width: float) -> Histogram:
    return Histogram(tuple(row[0] for row in rows), tuple(row[1] for row in rows), width)


def decided(connection: Connection, recipe: str) -> list[Decided]:
    """What a recipe keeps and drops of each corpus, by reason."""
    return read_rows(connection, query("picture_kept"), {"recipe": recipe}, Decided)


def cluster_sizes(connection: Connection, scope: RecipeScope) -> dict[int, int]:
    """Number of clusters by number of members."""
    parameters = {"chunking_id": scope.chunking_id, "threshold": scope.threshold}
    return dict(connection.execute(query("picture_clusters"), parameters).fetchall())


def passage_spread(connection: Connection, scope: RecipeScope) -> list[PassageSpread]:
    """In how many documents the repeated passages stand."""
    return read_rows(connection, query("picture_passages"), {"chunking_id": scope.chunking_id}, PassageSpread)


def training_curves(connection: Connection, experiment: str) -> list[TrainingCurve]:
    """One curve for the trunk and for each replicate; those that go on from the trunk begin where it ends."""
    rows = connection.execute(query("picture_loss"), {"experiment": experiment}).fetchall()
    has_trunk = scalar(connection, query("experiment_has_trunk"), [experiment])
    n_before = 0
    curves = []
    for replicate, group in groupby(rows, key=lambda row: row[0]):
        _, n_tokens, loss, bits_per_byte = zip(*group, strict=True)
        name = model_name("micromodel" if replicate is not None else "trunk", replicate)
        curves.append(TrainingCurve(name, tuple(n + n_before for n in n_tokens), loss, bits_per_byte))
        if replicate is None and has_trunk:
            n_before = max(n_tokens)
    return curves


def scores(connection: Connection, recipe: str, experiment: str) -> dict[str, list[Score]]:
    """Bits per byte on the report split of every model and baseline: by corpus, and for ``all`` of it."""
    rows = connection.execute(
        query("picture_scores"), {"recipe": recipe, "experiment": experiment}
    ).fetchall()
    by_corpus: dict[str, list[Score]] = defaultdict(list)
    for corpus, model, value, low, high, is_baseline, _ in rows:
        by_corpus[corpus].append(Score(model, value, low, high, is_baseline))
    return dict(by_corpus)


def mixing_weights(connection: Connection, experiment: str) -> dict[str, float]:
    """The share of each ingredient in the experiment's mixed model."""
    rows = connection.execute(query("picture_mixing"), {"experiment": experiment}).fetchall()
    return {model_name(kind, replicate): weight for kind, replicate, weight in rows}


def lineage(connection: Connection, experiment: str) -> tuple[list[Box], list[Arrow]]:
    """Boxes and arrows from corpora and licences over trunk and micromodels to the mixed model."""
    models = connection.execute(query("picture_models"), {"experiment": experiment}).fetchall()
    trained = connection.execute(query("picture_trained"), {"experiment": experiment}).fetchall()
    kinds = {checkpoint_id: kind for checkpoint_id, kind, *_ in models}
    columns = {kind: number for number, kind in enumerate(_in_order(set(kinds.values())), start=1)}
    names = {checkpoint_id: model_name(kind, replicate) for checkpoint_id, kind, replicate, *_ in models}
    boxes = [Box(checkpoint_id, name, columns[kinds[checkpoint_id]]) for checkpoint_id, name in names.items()]
    arrows = [
        Arrow(parent_id, checkpoint_id, f"{weight:.2f}" if relation == "mix" else "")
        for checkpoint_id, _, _, parent_id, relation, weight in models
        if parent_id in names
    ]
    # Where a trunk saw everything first, arrows from each corpus to each replicate would only cross it.
    first = next(iter(columns), None)
    source_boxes, source_arrows = _source_boxes([row for row in trained if kinds[row[0]] == first])
    return source_boxes + boxes, source_arrows + arrows


def _in_order(kinds: set[str]) -> list[str]:
    order = ("trunk", "micromodel", "mixed_model")
    return sorted(kinds, key=lambda kind: order.index(kind) if kind in order else len(order))


def _short(name: str) -> str:
    return name if len(name) <= SOURCE_CHARACTERS else f"{name[: SOURCE_CHARACTERS - 1]}…"


def _source_boxes(trained: Sequence[tuple[str, str, str, int]]) -> tuple[list[Box], list[Arrow]]:
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for _, corpus, licence, n_tokens in trained:
        totals[corpus, licence] += n_tokens
    largest = sorted(totals, key=lambda source: (-totals[source], source))[:MOST_SOURCES]
    boxes = [
        Box(f"source {corpus} {licence}", f"{_short(corpus)}\n{_short(licence)}", 0)
        for corpus, licence in largest
    ]
    if len(totals) > len(largest):
        boxes.append(Box("source others", f"{len(totals) - len(largest)} others", 0))
    tokens: dict[tuple[str, str], int] = defaultdict(int)
    for checkpoint_id, corpus, licence, n_tokens in trained:
        box = f"source {corpus} {licence}" if (corpus, licence) in largest else "source others"
        tokens[box, checkpoint_id] += n_tokens
    arrows = [Arrow(box, checkpoint_id, f"{n / 1e6:.2f} M") for (box, checkpoint_id), n in tokens.items()]
    return boxes, arrows
