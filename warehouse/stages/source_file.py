"""Stage corpus/source_file: what lies at the corpora's locations now.

A file whose size and times stand as recorded is not read; any other is hashed. A file with new bytes is a new row
and the old row is retired; a vanished file's row is retired. Nothing is ever deleted: old models point here.
"""

from __future__ import annotations

import stat
import time
from dataclasses import asdict, dataclass
from mimetypes import MimeTypes
from pathlib import Path
from uuid import UUID

from warehouse.cleanser.streams import display_name
from warehouse.corpora import find_files, locations_of
from warehouse.database import Connection, query, read_rows, scalar
from warehouse.files import file_sha256
from warehouse.identity import content_id
from warehouse.stages.arrow import SOURCE_FILE, arrow_table
from warehouse.stages.stage import StageContext, StageReport, StageRun, last_materialization

ASSET = "corpus/source_file"
CODE = ("warehouse.corpora", "warehouse.stages.source_file")

RACY_NS = 2_000_000_000
"""A file changed less than this long before it was hashed is hashed again next time: its times could repeat."""


@dataclass(frozen=True)
class KnownFile:
    """A recorded file, as far as it decides whether to hash again."""

    source_id: UUID
    corpus: str
    path: str
    licence: str
    n_bytes: int
    modified_ns: int
    changed_ns: int
    status: str
    current: bool
    readable: bool


@dataclass(frozen=True)
class FoundFile:
    """A file as found; the columns of ``corpus.source_file`` that a scan decides."""

    source_id: UUID
    corpus: str
    path: str
    sha256: bytes | None
    n_bytes: int
    modified_ns: int
    changed_ns: int
    media_type: str | None
    licence: str
    status: str
    error: str | None


_MEDIA_TYPES = MimeTypes()
for _media_type, _suffix in (
    ("application/jsonl", ".jsonl"),
    ("application/jsonl", ".ndjson"),
    ("application/vnd.apache.parquet", ".parquet"),
    ("application/zstd", ".zst"),
    ("text/csv", ".csv"),
    ("text/markdown", ".markdown"),
    ("text/markdown", ".md"),
    ("text/tab-separated-values", ".tsv"),
):
    _MEDIA_TYPES.add_type(_media_type, _suffix)

_COMPRESSIONS = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}


def media_type_of(name: str) -> str | None:
    """The media type that a file's name claims, of what is compressed that of the compression; the same on every
    machine. None for a name that claims nothing."""
    media_type, compression = _MEDIA_TYPES.guess_type(name)
    return _COMPRESSIONS.get(compression) if compression else media_type


def inspect_file(corpus: str, path: str, licence: str) -> FoundFile:
    """Hash one file. A file that cannot be read is recorded as failed, with its reason."""
    shown = display_name(path)
    media_type = media_type_of(shown)
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is no regular file")
        sha256 = file_sha256(Path(path))
    except OSError as error:
        reason = error.strerror or str(error)
        return FoundFile(
            content_id(corpus, shown, b""),
            corpus,
            shown,
            None,
            0,
            0,
            0,
            media_type,
            licence,
            "failed",
            f"cannot be read: {reason}",
        )
    empty = status.st_size == 0
    racy = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < RACY_NS
    return FoundFile(
        source_id=content_id(corpus, shown, sha256),
        corpus=corpus,
        path=shown,
        sha256=sha256,
        n_bytes=status.st_size,
        modified_ns=0 if racy else status.st_mtime_ns,
        changed_ns=0 if racy else status.st_ctime_ns,
        media_type=media_type,
        licence=licence,
        status="empty" if empty else "found",
        error="the file is empty" if empty else None,
    )


def stands_as_recorded(known: KnownFile, path: str, licence: str) -> bool:
    """Whether size and times of a recorded, current file are unchanged, so that its hash still holds."""
    if not (known.current and known.readable and known.licence == licence):
        return False
    try:
        status = Path(path).stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns) == (
        known.n_bytes,
        known.modified_ns,
        known.changed_ns,
    )


@dataclass(frozen=True)
class Listing:
    """What lies at the locations: the licence of each (corpus, path), and the places that could not be listed."""

    licences: dict[tuple[str, str], str]
    unlisted: dict[str, str]


def _listing(connection: Connection, corpora: tuple[str, ...]) -> Listing:
    licences: dict[str, str] = dict(
        connection.execute("SELECT corpus, licence FROM corpus.corpus").fetchall()
    )
    overrides: dict[tuple[str, str], str] = {
        (corpus, path): licence
        for corpus, path, licence in connection.execute("FROM corpus.licence_override").fetchall()
    }
    found: dict[tuple[str, str], str] = {}
    unlisted: dict[str, str] = {}
    for location in locations_of(connection, corpora):
        for path in find_files(location.path, unlisted.__setitem__):
            key = (location.corpus, path)
            found[key] = overrides.get(key, licences[location.corpus])
    return Listing(found, {display_name(place): reason for place, reason in unlisted.items()})


FILES, LICENCES, WEIGHTS = "files", "licences", "weights"
"""Inputs of the stage, of which later stages may depend on some alone."""


def versions(connection: Connection) -> dict[str, str]:
    """Hashes of what later stages may see of the current files, each of another part."""
    found = connection.execute(query("source_file_versions"))
    names = [name for name, *_ in found.description or []]
    return dict(zip(names, found.fetchall()[0], strict=True))


def version(context: StageContext) -> StageRun:
    """What the stage is made from, as recorded: files, licences and weights."""
    with context.warehouse.read() as connection:
        return StageRun(context, ASSET, "", versions(connection), CODE)


@dataclass(frozen=True)
class Scan:
    """What a look at the locations found, before anything is recorded."""

    inspected: list[FoundFile]
    vanished: list[UUID]
    n_unchanged: int
    problems: list[str]


def scan(context: StageContext) -> Scan:
    """Look at the corpora's locations; hash what may have changed. Records nothing."""
    with context.warehouse.read() as connection:
        listing = _listing(connection, context.settings.corpora)
        known = {
            (row.corpus, row.path): row for row in read_rows(connection, query("known_files"), [], KnownFile)
        }
    paths, unchanged, inspected = listing.licences, 0, []
    for number, ((corpus, path), licence) in enumerate(paths.items()):
        record = known.get((corpus, display_name(path)))
        if record is not None and stands_as_recorded(record, path, licence):
            unchanged += 1
        else:
            inspected.append(inspect_file(corpus, path, licence))
        context.progress(number + 1, len(paths), f"{corpus}")
    watched = set(context.settings.corpora) or {row.corpus for row in known.values()}
    present = {(corpus, display_name(path)) for corpus, path in paths}
    vanished = [
        row.source_id
        for key, row in known.items()
        if row.current
        and row.corpus in watched
        and key not in present
        # A folder that cannot be listed, a disk that is not mounted: nothing says that its files are gone.
        and not any(row.path.startswith(f"{place}/") for place in listing.unlisted)
    ]
    problems = [f"{place}: {reason}" for place, reason in sorted(listing.unlisted.items())]
    return Scan(inspected, vanished, unchanged, problems)


def run(context: StageContext) -> StageReport:
    """Record new, changed and vanished files of the corpora."""
    started = time.perf_counter()
    return _commit(context, scan(context), started)


def _commit(context: StageContext, found: Scan, started: float) -> StageReport:
    with context.warehouse.write("recording source files") as connection:
        connection.register("inspected", arrow_table(SOURCE_FILE, [asdict(file) for file in found.inspected]))
        connection.execute(query("record_source_files"))
        connection.execute(query("retire_source_files"), {"vanished": found.vanished})
        stage = StageRun(context, ASSET, "", versions(connection), CODE, started)
        n_rows = scalar(connection, "SELECT count(*) FROM corpus.source_file WHERE retired_at IS NULL")
        last = last_materialization(connection, ASSET, "")
        changed = last is None or last.data_version != stage.data_version
        if changed:
            stage.record(connection, n_rows)
        counts = connection.execute(query("source_file_counts")).fetchall()
        failed = connection.execute(query("failed_files")).fetchall()
    facts = {f"n_files_{status}": n for status, n in counts}
    facts |= {
        "n_unchanged": found.n_unchanged,
        "n_hashed": len(found.inspected),
        "n_vanished": len(found.vanished),
    }
    return stage.report(
        n_rows,
        facts,
        up_to_date=not changed,
        problems=[*found.problems, *(f"{path}: {error}" for path, error in failed)],
    )
