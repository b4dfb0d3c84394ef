"""The corpus report: what was read, what of it is kept, what was dropped and why.

What lives here: the report's values and how they are read. What does not: its look (``templates``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fakesmrt_assets.reports import drawing, picture_data, pictures
from fakesmrt_assets.reports.page import excerpt, render
from fakesmrt_assets.reports.picture_data import RecipeScope, recorded_scope
from fakesmrt_assets.reports.pictures import CorpusScores, Decided, Histogram, PassageSpread
from warehouse import textstore
from warehouse.cleanser.privacy import KINDS, find_private, mask
from warehouse.database import Connection, query, read_rows
from warehouse.home import Home

MOST_FAILED_FILES = 100
MOST_CLUSTERS = 5
MOST_EXTREMES = 5
MOST_PASSAGES = 10
WHOLE = slice(None)


@dataclass(frozen=True)
class CorpusRow:
    """A corpus: its current files, the chunks made of them, and what the recipe keeps. Sizes in bytes."""

    corpus: str
    licences: str
    n_files: int
    n_failed: int
    n_empty: int
    n_partial: int
    n_file_bytes: int
    n_documents: int
    n_chunks: int
    n_chunk_bytes: int
    n_kept_chunks: int
    n_kept_bytes: int
    n_repaired_chunks: int
    n_replaced_characters: int


@dataclass(frozen=True)
class FailedFile:
    """A file that gave no text, or not all that is in it, and why."""

    corpus: str
    path: str
    status: str
    error: str


@dataclass(frozen=True)
class LicenceRow:
    """Files and clean text under a licence."""

    licence: str
    n_files: int
    n_bytes: int
    n_kept_bytes: int


@dataclass(frozen=True)
class EncodingRow:
    """Documents of a corpus in an encoding, and the smallest confidence of such a decision."""

    corpus: str
    encoding: str
    n_documents: int
    least_confidence: float


@dataclass(frozen=True)
class RepairRow:
    """Chunks that a step of repair changed."""

    step: str
    n_chunks: int


@dataclass(frozen=True)
class PrivateRow:
    """Private data of a kind in the recipe's chunks, and whether the recipe masks it in tokens."""

    kind: str
    n_ranges: int
    n_chunks: int
    is_masked: bool


@dataclass(frozen=True)
class DroppedRow:
    """Byte ranges that became no chunk."""

    reason: str
    n_ranges: int
    n_bytes: int


@dataclass(frozen=True)
class ClusterMember:
    """A member of a cluster of near-duplicates; `jaccard` is its similarity to the centre."""

    chunk_id: str
    corpus: str
    path: str
    jaccard: float
    is_keeper: bool
    excerpt: str


@dataclass(frozen=True)
class Cluster:
    """One of the largest clusters, with at most three of its members."""

    cluster_id: str
    n_members: int
    members: tuple[ClusterMember, ...]


@dataclass(frozen=True)
class ScoredChunk:
    """A chunk at one end of the perplexity scale."""

    chunk_id: str
    corpus: str
    path: str
    bits_per_byte: float
    kept: bool
    reason: str | None
    excerpt: str


@dataclass(frozen=True)
class Passage:
    """A paragraph or line that stands in many documents; `excerpt` is its first copy."""

    level: str
    n_documents: int
    n_occurrences: int
    n_characters: int
    is_removed: bool
    excerpt: str


@dataclass(frozen=True)
class LeftOutRow:
    """Repeated passages that the recipe leaves out of the chunks that it keeps."""

    corpus: str
    level: str
    n_ranges: int
    n_characters: int


@dataclass(frozen=True)
class ContaminationRow:
    """Items of an evaluation set that a rule found in chunks; `n_items` is None for held-out text."""

    evaluation_set: str
    n_items: int | None
    rule: str | None
    n_found: int
    n_chunks: int


@dataclass(frozen=True)
class CorpusReportData:
    """Everything that the corpus report shows."""

    recipe: str
    corpora: tuple[CorpusRow, ...]
    failed_files: tuple[FailedFile, ...]
    licences: tuple[LicenceRow, ...]
    encodings: tuple[EncodingRow, ...]
    repairs: tuple[RepairRow, ...]
    private: tuple[PrivateRow, ...]
    dropped_ranges: tuple[DroppedRow, ...]
    decided: tuple[Decided, ...]
    clusters: tuple[Cluster, ...]
    most_likely: tuple[ScoredChunk, ...]
    least_likely: tuple[ScoredChunk, ...]
    lengths: Histogram
    scores: tuple[CorpusScores, ...]
    cluster_sizes: dict[int, int]
    passages: tuple[Passage, ...]
    left_out: tuple[LeftOutRow, ...]
    passage_spread: tuple[PassageSpread, ...]
    contamination: tuple[ContaminationRow, ...]

    def total(self, field: str) -> int:
        """The sum of a column of `corpora`."""
        return sum(getattr(row, field) for row in self.corpora)


def collect_corpus_report(connection: Connection, home: Home, recipe: str) -> CorpusReportData:
    """Read the report's values.

    Args:
        connection: an open Training Database.
        home: where the texts of the excerpts lie.
        recipe: name of a recipe that was built.

    Raises:
        InvalidConfiguration: if the recipe was never built.
        CorruptArtefact: if a text file is missing or damaged.
    """
    scope = recorded_scope(connection, recipe)
    by_recipe: dict[str, object] = {"recipe": recipe}
    by_chunking: dict[str, object] = {"chunking_id": scope.chunking_id}
    likely, unlikely = _extremes(connection, home, scope)
    failed = read_rows(connection, query("report_failed_files"), {"limit": MOST_FAILED_FILES}, FailedFile)
    return CorpusReportData(
        recipe=recipe,
        corpora=tuple(read_rows(connection, query("report_corpora"), by_recipe, CorpusRow)),
        failed_files=tuple(failed),
        licences=tuple(read_rows(connection, query("report_licences"), by_recipe, LicenceRow)),
        encodings=tuple(read_rows(connection, query("report_encodings"), {}, EncodingRow)),
        repairs=tuple(read_rows(connection, query("report_repairs"), by_chunking, RepairRow)),
        private=tuple(read_rows(connection, query("report_private"), by_recipe, PrivateRow)),
        dropped_ranges=tuple(read_rows(connection, query("report_dropped_ranges"), by_chunking, DroppedRow)),
        decided=tuple(picture_data.decided(connection, recipe)),
        clusters=_clusters(connection, home, scope),
        most_likely=likely,
        least_likely=unlikely,
        lengths=picture_data.chunk_lengths(connection, scope),
        scores=tuple(picture_data.corpus_scores(connection, scope)),
        cluster_sizes=picture_data.cluster_sizes(connection, scope),
        passages=_passages(connection, home, scope),
        left_out=tuple(read_rows(connection, query("report_left_out"), by_recipe, LeftOutRow)),
        passage_spread=tuple(picture_data.passage_spread(connection, scope)),
        contamination=tuple(
            read_rows(connection, query("report_contamination"), by_recipe, ContaminationRow)
        ),
    )


def corpus_report_html(data: CorpusReportData) -> str:
    """The report as one page."""
    drawn = {
        "kept": pictures.kept_and_dropped(data.decided),
        "lengths": pictures.chunk_lengths(data.lengths),
        "perplexity": pictures.perplexity_histograms(data.scores),
        "clusters": pictures.cluster_sizes(data.cluster_sizes),
        "passages": pictures.passage_spread(data.passage_spread),
    }
    images = {name: drawing.as_data_uri(png) for name, png in drawn.items()}
    return render("corpus_report.html", data=data, images=images)


def _excerpt(home: Home, text_file: str, text_row: int, part: slice = WHOLE) -> str:
    """The start of a text, or of a part of it.

    A report goes from hand to hand, so what is private in it is masked whatever the recipe.
    """
    text = textstore.read_rows(home.text / text_file, [text_row])[0][part]
    return excerpt(mask(text, find_private(text), KINDS))


def _passages(connection: Connection, home: Home, scope: RecipeScope) -> tuple[Passage, ...]:
    parameters = {"recipe": scope.recipe, "limit": MOST_PASSAGES}
    rows = connection.execute(query("report_passages"), parameters).fetchall()
    return tuple(_passage(home, row) for row in rows)


def _passage(home: Home, row: Sequence[Any]) -> Passage:
    level, n_documents, n_occurrences, n_characters, is_removed, text_file, text_row, start, end = row
    text = _excerpt(home, text_file, text_row, slice(start, end))
    return Passage(level, n_documents, n_occurrences, n_characters, is_removed, text)


def _clusters(connection: Connection, home: Home, scope: RecipeScope) -> tuple[Cluster, ...]:
    parameters = {
        "recipe": scope.recipe,
        "chunking_id": scope.chunking_id,
        "threshold": scope.threshold,
        "limit": MOST_CLUSTERS,
    }
    rows = connection.execute(query("report_clusters"), parameters).fetchall()
    return tuple(
        Cluster(cluster_id, n_members, tuple(_member(home, row) for row in members))
        for (cluster_id, n_members), members in groupby(rows, key=lambda row: (row[0], row[1]))
    )


def _member(home: Home, row: Sequence[Any]) -> ClusterMember:
    _, _, chunk_id, corpus, path, jaccard, is_keeper, text_file, text_row = row
    return ClusterMember(chunk_id, corpus, path, jaccard, is_keeper, _excerpt(home, text_file, text_row))


def _extremes(
    connection: Connection, home: Home, scope: RecipeScope
) -> tuple[tuple[ScoredChunk, ...], tuple[ScoredChunk, ...]]:
    """The most likely and the least likely chunks."""
    parameters = {"recipe": scope.recipe, "reference_id": scope.reference_id, "limit": MOST_EXTREMES}
    rows = connection.execute(query("report_extreme_chunks"), parameters).fetchall()
    scored = [(row[0], _scored(home, row)) for row in rows]
    return (
        tuple(chunk for is_likely, chunk in scored if is_likely),
        tuple(chunk for is_likely, chunk in scored if not is_likely),
    )


def _scored(home: Home, row: Sequence[Any]) -> ScoredChunk:
    _, chunk_id, corpus, path, bits_per_byte, kept, reason, text_file, text_row = row
    text = _excerpt(home, text_file, text_row)
    return ScoredChunk(chunk_id, corpus, path, bits_per_byte, kept, reason, text)
