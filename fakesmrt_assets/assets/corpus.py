"""The corpus stages: from raw files to the chunks that a recipe keeps."""

from fakesmrt_assets.assets.stage_asset import stage_asset
from fakesmrt_assets.stages.micromodel_scoring import score_texts
from warehouse.stages import chunk as chunk_stage
from warehouse.stages import contamination as contamination_stage
from warehouse.stages import document as document_stage
from warehouse.stages import duplicate as duplicate_stage
from warehouse.stages import perplexity as perplexity_stage
from warehouse.stages import repeated_passage as repeated_passage_stage
from warehouse.stages import search_index as search_index_stage
from warehouse.stages import source_file as source_file_stage
from warehouse.stages import training_chunk as training_chunk_stage
from warehouse.stages.stage import StageContext, StageReport


@stage_asset("corpus/source_file", kinds={"python", "duckdb"}, code=source_file_stage.CODE)
def source_file(context: StageContext) -> StageReport:
    """One row is a raw file as found at a corpus's locations, with its hash and its licence.

    It exists so that every later row leads back to bytes on a disk and to what may be done with them. A
    changed file is a new row and the old one is retired; an unchanged one costs a look at its size and
    times.
    """
    return source_file_stage.run(context)


@stage_asset(
    "corpus/document", after=["corpus/source_file"], kinds={"python", "duckdb"}, code=document_stage.CODE
)
def document(context: StageContext) -> StageReport:
    """One row is a unit of text in a file: its byte range, its encoding with the evidence, its language.

    It exists because splits and the bootstrap draw whole documents, and because an encoding is decided
    once for bytes that belong together. Bytes outside every document are listed in corpus.dropped with a
    reason.
    """
    return document_stage.run(context)


@stage_asset(
    "corpus/chunk", after=["corpus/document"], kinds={"python", "parquet", "duckdb"}, code=chunk_stage.CODE
)
def chunk(context: StageContext) -> StageReport:
    """One row is a piece of a document: exact byte range, repair plan, clean text in Parquet, quality
    signals.

    It is the unit of everything after: duplicates, perplexity, the recipe's verdict and the lineage of a
    model are all told by chunk. Cut in the bytes first and repaired after, so that each row replays.
    """
    return chunk_stage.run(context)


@stage_asset(
    "corpus/search_index",
    after=["corpus/chunk"],
    kinds={"python", "parquet", "duckdb"},
    code=search_index_stage.CODE,
)
def search_index(context: StageContext) -> StageReport:
    """One row is a text file whose words lie in the word index: immutable Parquet files, sorted by word.

    It exists so that any chunk is found again by its words, ranked, from any DuckDB client on a published
    copy. Only new text files are read.
    """
    return search_index_stage.run(context)


@stage_asset(
    "corpus/repeated_passage",
    after=["corpus/chunk"],
    kinds={"python", "parquet", "duckdb"},
    code=repeated_passage_stage.CODE,
)
def repeated_passage(context: StageContext) -> StageReport:
    """One row is a paragraph or line that stands in several documents; where it stands is told beside it.

    It exists because footers, navigation and licence notices are learnt by heart when every document
    repeats them. The stored text keeps them; a recipe says which are left out where text becomes tokens.
    """
    return repeated_passage_stage.run(context)


@stage_asset(
    "corpus/duplicate",
    after=["corpus/chunk"],
    kinds={"python", "parquet", "duckdb"},
    code=duplicate_stage.CODE,
)
def duplicate(context: StageContext) -> StageReport:
    """One row is a chunk's membership in a cluster of near-duplicates; the verified pairs stand beside
    it.

    It exists because repeated text is memorised instead of learnt, and because a text on both sides of a
    split makes an evaluation worthless. MinHash bands propose pairs; the true Jaccard similarity decides.
    """
    return duplicate_stage.run(context)


@stage_asset(
    "corpus/contamination",
    after=["corpus/duplicate"],
    kinds={"python", "duckdb"},
    code=contamination_stage.CODE,
)
def contamination(context: StageContext) -> StageReport:
    """One row is an evaluation item, or a held-out chunk, of which enough was found in a chunk.

    It exists so that nothing a model is measured on was trained on: registered evaluation sets word by
    word and with some of their words changed, held-out text by its runs of 13 words.
    """
    return contamination_stage.run(context)


@stage_asset(
    "corpus/perplexity", after=["corpus/duplicate"], kinds={"python", "duckdb"}, code=perplexity_stage.CODE
)
def perplexity(context: StageContext) -> StageReport:
    """One row is a chunk's bits per byte under a pinned reference that saw neither it nor its likeness,
    and where that stands in its corpus and its language.

    It exists to find what is no running text without a model from elsewhere. The reference is pinned: new
    text does not change old scores, so nights are comparable.
    """
    return perplexity_stage.run(context, score_texts)


@stage_asset(
    "corpus/training_chunk",
    after=["corpus/source_file", "corpus/perplexity", "corpus/repeated_passage", "corpus/contamination"],
    kinds={"duckdb"},
    code=training_chunk_stage.CODE,
)
def training_chunk(context: StageContext) -> StageReport:
    """One row is a recipe's verdict on a chunk: kept or not, why, and how much it weighs.

    It is a view, so that changing a rule recomputes nothing: reason, keeper and perplexity bucket follow
    from stored columns by SQL alone.
    """
    return training_chunk_stage.run(context)


CORPUS_ASSETS = [
    source_file,
    document,
    chunk,
    search_index,
    repeated_passage,
    duplicate,
    contamination,
    perplexity,
    training_chunk,
]
