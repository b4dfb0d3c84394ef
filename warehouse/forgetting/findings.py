"""What forgetting would do, what it did, and what follows from it: values for people and machines."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from warehouse.forgetting.contents import Content


@dataclass(frozen=True)
class Likeness:
    """A document that stayed although it resembles forgotten text.

    Attributes:
        document_id: its id.
        path: of its file.
        likeness: same_text, near_duplicate or shared_passage.
        n_chunks: chunks of it that do.
    """

    document_id: UUID
    path: str
    likeness: str
    n_chunks: int


@dataclass(frozen=True)
class Consequences:
    """What follows from forgetting, as the database has it.

    Attributes:
        n_documents: documents forgotten for the sake of the contents.
        n_chunks: chunks of them, of today and of the past.
        stale_models: models that saw forgotten text: kind and folder below models/.
        broken_pins: references that were removed, to be made again from the rest of their samples.
        stale_references: references of micromodels that saw it, which stay until they are replaced.
        tokenizers: tokenizers trained on it, which stay: a merge table holds no text.
        likenesses: documents that stayed although they resemble it.
    """

    n_documents: int
    n_chunks: int
    stale_models: tuple[str, ...]
    broken_pins: tuple[str, ...]
    stale_references: tuple[str, ...]
    tokenizers: tuple[str, ...]
    likenesses: tuple[Likeness, ...]


@dataclass(frozen=True)
class Rewritten:
    """What was done to the files of a home: names of files and folders.

    Attributes:
        text_files: text files in which rows are empty now.
        index_files: files of hashes that lost rows.
        shards: shards in whose place others stand.
        references: folders of references that are gone.
        reports: reports that are gone.
        removed: raw, unfinished, unreferenced and damaged files that are gone.
        versions: published versions that were written anew.
        raw_files: what still holds it, or may, and is its owner's to remove: files that are read no more, files in
            ``raw/`` with other documents too, and URLs of object stores that the home was brought back from.
        readers: processes that have a replaced version open, whose bytes stay until they close it.
    """

    text_files: tuple[str, ...] = ()
    index_files: tuple[str, ...] = ()
    shards: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()
    raw_files: tuple[str, ...] = ()
    readers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Preview:
    """What forgetting would do.

    Attributes:
        contents: what is meant.
        n_documents: documents that would go, in all databases.
        n_chunks: chunks that would go.
        n_text_files: text files that hold them.
        n_shards: shards that hold them.
        n_versions: published versions, which are all written anew.
        n_likenesses: chunks that would stay although they resemble it.
        stale_models: models that saw it.
        broken_pins: references that would be removed.
    """

    contents: tuple[Content, ...]
    n_documents: int
    n_chunks: int
    n_text_files: int
    n_shards: int
    n_versions: int
    n_likenesses: int
    stale_models: tuple[str, ...]
    broken_pins: tuple[str, ...]


@dataclass(frozen=True)
class Forgotten:
    """What was forgotten, what was done to the files for it, and what follows."""

    contents: tuple[Content, ...]
    rewritten: Rewritten
    consequences: Consequences
