"""Forgetting itself: record, rewrite every file, end; and saying what it would do before anything is done.

What lives here: the order of the steps, which is what makes a kill at any moment harmless. What does not: the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from warehouse import publishing
from warehouse.database import Warehouse, query, run_script, scalar
from warehouse.forgetting import leftovers, stored_text, token_shards
from warehouse.forgetting.contents import Content, find_contents, unfinished_contents
from warehouse.forgetting.extent import Extent, known_chunks, resolve, survey
from warehouse.forgetting.findings import Consequences, Forgotten, Likeness, Preview, Rewritten
from warehouse.forgetting.versions import rewrite_versions
from warehouse.locks import build_lock
from warehouse.moving import left_stores
from warehouse.progress import Progress, silent
from warehouse.retrieval.segments import forget_texts

N_STEPS = 7


def preview(warehouse: Warehouse, identifiers: Sequence[str]) -> Preview:
    """What `forget` would do. Changes nothing.

    Raises:
        InvalidConfiguration: if an identifier means nothing, or more than one thing.
    """
    warehouse.upgrade()
    with warehouse.read() as connection:
        contents = find_contents(connection, identifiers)
    extent = survey(warehouse, contents)
    chunk_ids = _ids(extent.chunks, "chunk_id")
    with warehouse.read() as connection:
        resolve(connection, contents, extent.ranges, known_chunks(connection))
        n_likenesses = scalar(connection, query("forget_count_likenesses"))
        models = [path for (path,) in connection.execute(query("forget_models_of_chunks")).fetchall()]
        pins = [path for (path,) in connection.execute(query("forget_pins_of_chunks")).fetchall()]
    return Preview(
        tuple(contents),
        len(_ids(extent.documents, "document_id")),
        len(chunk_ids),
        len(set(extent.chunks.column("text_file").to_pylist())),
        token_shards.count_shards(warehouse.home.tokens, chunk_ids),
        len(publishing.versions(warehouse.home)),
        n_likenesses,
        tuple(models),
        tuple(pins),
    )


def forget(
    warehouse: Warehouse,
    identifiers: Sequence[str],
    reason: str | None = None,
    progress: Progress = silent,
) -> Forgotten:
    """Forget contents for good, and end what an earlier call that was killed has begun.

    Args:
        warehouse: where.
        identifiers: see `find_contents`.
        reason: why, in a person's words; part of the record.
        progress: is told of each step.

    Raises:
        LockHeld: while a build runs.
        InvalidConfiguration: if an identifier means nothing, or more than one thing; nothing is forgotten then.
    """
    with build_lock(warehouse.home.root, "fakesmrt forget"):
        warehouse.upgrade()
        with warehouse.read() as connection:
            contents = find_contents(connection, identifiers)
            begun = [content for content in unfinished_contents(connection) if content not in contents]
        known = {(content.sha256, content.scope) for content in contents}
        wanted = contents + [content for content in begun if (content.sha256, content.scope) not in known]
        if wanted:
            progress(0, N_STEPS, "looking for it")
            _record(warehouse, wanted, survey(warehouse, wanted), reason)
        return Forgotten(
            tuple(contents), _finish(warehouse, wanted, progress), _consequences(warehouse, wanted)
        )


def finish_unfinished(warehouse: Warehouse, progress: Progress = silent) -> bool:
    """End what a call that was killed has begun; False where there is nothing. The caller holds the build lock."""
    with warehouse.read() as connection:
        contents = unfinished_contents(connection)
    if contents:
        _record(warehouse, contents, survey(warehouse, contents), None)
        _finish(warehouse, contents, progress)
    return bool(contents)


def _record(warehouse: Warehouse, contents: Sequence[Content], extent: Extent, reason: str | None) -> None:
    """In one transaction: what is forgotten stands in the record, and in no other table of the working database."""
    with warehouse.write("forgetting") as connection:
        resolve(connection, contents, extent.ranges, known_chunks(connection))
        connection.register("found_document", extent.documents)
        connection.register("found_chunk", extent.chunks)
        run_script(connection, "forget_record", {"reason": reason})
        run_script(connection, "forget_rows", {})


def _finish(warehouse: Warehouse, contents: Sequence[Content], progress: Progress) -> Rewritten:
    """Rewrite every file that holds what was recorded. Each step does nothing where it was done before."""
    home, done = warehouse.home, _Steps(progress)
    done.step("writing the database anew")
    publishing.rebuild(warehouse)
    chunk_ids, document_ids, places = _recorded(warehouse)
    done.step("rewriting text files")
    texts, unreferenced = stored_text.empty_text_rows(
        home.text, chunk_ids, document_ids, _named_text_files(warehouse)
    )
    done.step("rewriting index files")
    index_files = stored_text.drop_index_rows(home.index, chunk_ids)
    index_files += forget_texts(home.index, places)
    done.step("rewriting shards")
    shards = token_shards.rewrite_shards(warehouse, chunk_ids)
    unfinished = token_shards.remove_unfinished(home.tokens)
    done.step("removing reports and references")
    reports = leftovers.remove_reports(home)
    references = leftovers.remove_references(home, _pinned_folders(warehouse))
    raw, still_there = leftovers.remove_raw_files(home, _raw_files(warehouse, contents))
    temporary = leftovers.remove_temporary(home)
    done.step("rewriting published versions")
    versions = rewrite_versions(warehouse, contents)
    with warehouse.write("ending to forget") as connection:
        connection.execute("DELETE FROM corpus.unfinished_forget")
    done.step("done")
    return Rewritten(
        tuple(texts),
        tuple(sorted(index_files)),
        tuple(shards),
        tuple(references),
        tuple(reports),
        (*raw, *unreferenced, *unfinished, *temporary),
        tuple(versions),
        (*still_there, *(store.url for store in left_stores(home.root))),
        tuple(leftovers.old_versions_open(home)),
    )


@dataclass
class _Steps:
    progress: Progress
    n_done: int = 0

    def step(self, what: str) -> None:
        self.n_done += 1
        self.progress(self.n_done, N_STEPS, what)


def _ids(table: pa.Table, column: str) -> set[bytes]:
    return {value.bytes for value in table.column(column).to_pylist()}


def _recorded(warehouse: Warehouse) -> tuple[set[bytes], set[bytes], list[tuple[str, int]]]:
    """Ids of all forgotten chunks and documents, and the places that the chunks had in text files."""
    with warehouse.read() as connection:
        chunks = connection.execute(
            "SELECT chunk_id, text_file, text_row FROM corpus.forgotten_chunk"
        ).fetchall()
        documents = connection.execute("SELECT document_id FROM corpus.forgotten_document").fetchall()
    return (
        {chunk_id.bytes for chunk_id, _, _ in chunks},
        {document_id.bytes for (document_id,) in documents},
        sorted((name, row) for _, name, row in chunks),
    )


def _named_text_files(warehouse: Warehouse) -> set[str]:
    """Every text file that the working database or a published version names, or named for a forgotten chunk."""
    with warehouse.read() as connection:
        named = set(connection.execute(query("text_files")).fetchall())
        named |= set(connection.execute("SELECT DISTINCT text_file FROM corpus.forgotten_chunk").fetchall())
    for version in publishing.versions(warehouse.home):
        with warehouse.published_file(version.path) as connection:
            named |= set(connection.execute(query("text_files")).fetchall())
    return {name for (name,) in named}


def _pinned_folders(warehouse: Warehouse) -> set[str]:
    with warehouse.read() as connection:
        return {path for (path,) in connection.execute("SELECT path FROM corpus.reference").fetchall()}


def _raw_files(warehouse: Warehouse, contents: Sequence[Content]) -> list[tuple[str, bytes, bool]]:
    """Files that hold forgotten text: path, hash, and whether the whole file is forgotten."""
    with warehouse.read() as connection:
        rows = connection.execute(
            query("forget_raw_files"), {"sha256s": [content.sha256 for content in contents]}
        ).fetchall()
    return [(path, bytes(sha256), is_whole) for path, sha256, is_whole in rows]


def _consequences(warehouse: Warehouse, contents: Sequence[Content]) -> Consequences:
    sha256s = {"sha256s": [content.sha256 for content in contents]}
    with warehouse.read() as connection:

        def names(name: str) -> tuple[str, ...]:
            return tuple(value for (value,) in connection.execute(query(name)).fetchall())

        n_documents, n_chunks = connection.execute(query("forget_counts"), sha256s).fetchall()[0]
        likenesses = connection.execute(query("forget_likenesses"), sha256s).fetchall()
        return Consequences(
            n_documents,
            n_chunks,
            names("forget_stale_models"),
            names("forget_broken_pins"),
            names("forget_stale_references"),
            names("forget_tokenizers"),
            tuple(Likeness(*row) for row in likenesses),
        )
