"""What a build would find: its own first statements, run on a copy in memory.

The corpora's locations are looked at, and what that would record is recorded beside the Training Database, in memory.
So a plan knows which files would be read and cut by asking what the stages ask, and changes nothing.

What lives here: facts about files, documents and chunks. What does not: what they mean for a stage (``plan.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.resources import files
from uuid import UUID

from warehouse.code_versions import code_version
from warehouse.database import Connection, Warehouse, literal, query, run_script, scalar
from warehouse.stages import source_file
from warehouse.stages.arrow import SOURCE_FILE, arrow_table
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.source_file import FoundFile, Scan
from warehouse.stages.stage import StageContext

NEW, CHANGED, VANISHED, RELICENSED = "new", "changed", "vanished", "another licence"
READ_AGAIN, CUT_AGAIN = "read again", "cut again"


@dataclass(frozen=True)
class PlannedFile:
    """A file that a stage would work on.

    Attributes:
        change: what is the matter with it.
        corpus: its corpus.
        path: its path, printable.
    """

    change: str
    corpus: str
    path: str


@dataclass(frozen=True)
class Prospect:
    """What a build would find.

    Attributes:
        files: new, changed and vanished files, and those with another licence.
        n_unchanged: files that stand as recorded.
        problems: places that cannot be looked at.
        versions: inputs of corpus/source_file after the scan.
        read: files that corpus/document would read.
        cut: files with documents that corpus/chunk would cut, whatever is read.
        documents: hash of the current documents, without what would be read for the first time.
        chunks: the same of the recipe's chunks.
        n_chunks_lost: chunks in the recipe's shards that would count no more.
    """

    files: tuple[PlannedFile, ...]
    n_unchanged: int
    problems: tuple[str, ...]
    versions: Mapping[str, str]
    read: tuple[PlannedFile, ...]
    cut: tuple[PlannedFile, ...]
    documents: str
    chunks: str
    n_chunks_lost: int


@dataclass(frozen=True)
class _Known:
    source_id: UUID
    sha256: bytes | None
    licence: str


def look_ahead(context: StageContext, *, scanned: bool = True) -> Prospect:
    """Find out what a build would find; hashes files that may have changed.

    Args:
        context: the build that is asked for.
        scanned: whether the build would look at the corpora's locations.
    """
    found = source_file.scan(context) if scanned else Scan([], [], 0, [])
    with _trial(context.warehouse) as trial:
        changes = tuple(_changes(trial, found))
        _record(trial, found)
        versions = source_file.versions(trial)
        read, cut = _to_read(trial, changes), _to_cut(trial, context)
        chunking_id = {"chunking_id": recipe_chunking(context)[1]}
        return Prospect(
            files=changes,
            n_unchanged=found.n_unchanged
            + len(found.inspected)
            - sum(file.change != VANISHED for file in changes),
            problems=tuple(found.problems),
            versions=versions,
            read=read,
            cut=cut,
            documents=scalar(trial, query("current_documents_version")),
            chunks=scalar(trial, query("current_chunks_version"), chunking_id),
            n_chunks_lost=scalar(
                trial, query("count_lost_shard_chunks"), {"recipe": context.settings.recipe}
            ),
        )


@contextmanager
def _trial(warehouse: Warehouse) -> Iterator[Connection]:
    """A database in memory with the working one's tables; those that a scan writes to are copies."""
    with warehouse.sharing(), warehouse.scratch() as connection:
        # ATTACH takes no bound parameters; the path comes from the home.
        connection.execute(f"ATTACH {literal(warehouse.home.database)} AS working (READ_ONLY)")
        for schema, table in connection.execute(query("working_tables")).fetchall():
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            kind = "TABLE" if (schema, table) == ("corpus", "source_file") else "VIEW"
            connection.execute(f'CREATE {kind} {schema}."{table}" AS FROM working.{schema}."{table}"')
        connection.execute((files("warehouse") / "views" / "corpus_current_chunk.sql").read_text())
        yield connection


def _record(trial: Connection, found: Scan) -> None:
    trial.register("inspected", arrow_table(SOURCE_FILE, [asdict(file) for file in found.inspected]))
    trial.execute(query("record_source_files"))
    run_script(trial, "retire_source_files", {"vanished": found.vanished})


def _changes(trial: Connection, found: Scan) -> Iterator[PlannedFile]:
    """How the files differ from what is recorded."""
    rows = trial.execute(
        "SELECT corpus, path, source_id, sha256, licence FROM corpus.source_file WHERE retired_at IS NULL"
    ).fetchall()
    known = {(corpus, path): _Known(*values) for corpus, path, *values in rows}
    for file in found.inspected:
        if change := _change(known.get((file.corpus, file.path)), file):
            yield PlannedFile(change, file.corpus, file.path)
    vanished = set(found.vanished)
    for (corpus, path), before in known.items():
        if before.source_id in vanished:
            yield PlannedFile(VANISHED, corpus, path)


def _change(before: _Known | None, now: FoundFile) -> str | None:
    if before is None:
        return NEW
    if before.sha256 != now.sha256:
        return CHANGED
    return RELICENSED if before.licence != now.licence else None


def _to_read(trial: Connection, changes: Iterable[PlannedFile]) -> tuple[PlannedFile, ...]:
    seen = {(file.corpus, file.path): file.change for file in changes}
    parameters = {"code_version": code_version("warehouse.cleanser")}
    rows = trial.sql(query("sources_to_read"), params=parameters).project("corpus, path").fetchall()
    return tuple(PlannedFile(seen.get((corpus, path), READ_AGAIN), corpus, path) for corpus, path in rows)


def _to_cut(trial: Connection, context: StageContext) -> tuple[PlannedFile, ...]:
    parameters = {"chunking_id": recipe_chunking(context)[1]}
    waiting = trial.sql(query("documents_to_cut"), params=parameters).project("source_id").distinct()
    identities = [identity for (identity,) in waiting.fetchall()]
    rows = trial.execute(
        "SELECT corpus, path FROM corpus.source_file WHERE source_id IN (SELECT unnest($1)) ORDER BY ALL",
        [identities],
    ).fetchall()
    return tuple(PlannedFile(CUT_AGAIN, corpus, path) for corpus, path in rows)
