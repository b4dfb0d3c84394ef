"""Looks over a home and says what is wrong, and with what it is mended.

What lives here: checks that the files of a home are what the database says. What does not: checks on the content of
the corpus, which are asset checks.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet

from warehouse.database import Warehouse, query, require_current_version, run_script
from warehouse.errors import CorruptArtefact, FakesmrtError, InputUnreadable, InvalidConfiguration, LockHeld
from warehouse.files import (
    fetched_folder,
    file_sha256,
    folders,
    names,
    opened,
    remove,
    remove_unfinished,
    written_whole,
)
from warehouse.forgetting.contents import unfinished_contents
from warehouse.forgetting.forget import finish_unfinished
from warehouse.leftovers import left_behind
from warehouse.perplexity.reference import Reference
from warehouse.publishing import PublishedVersion, remove_version, versions
from warehouse.textstore import ROW_GROUP_ROWS, text_file
from warehouse.tokens.shards import PAST_SUFFIX, TOKENIZER_FILE, open_shard, remove_shard


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, or was.

    Attributes:
        what: what is wrong.
        remedy: what to do, or what was done.
        mended: whether it is right now.
    """

    what: str
    remedy: str
    mended: bool = False


REBUILD = "Run: fakesmrt doctor --fix, then fakesmrt build"


def _damage(warehouse: Warehouse) -> str | None:
    """Why the Training Database cannot be read, None if it can.

    Raises:
        FakesmrtError: it is not damaged, but a newer fakesmrt's, unfinished, or held by a writer.
    """
    try:
        with warehouse.read():
            return None
    except (InvalidConfiguration, InputUnreadable, LockHeld):
        raise
    except FakesmrtError as error:
        return error.cause


def _restore_database(warehouse: Warehouse, copy: Path) -> None:
    """Put a published copy in the place of the damaged database, which is kept beside it.

    Killed at any moment, there is a database: the damaged one or the copy.
    """
    database = warehouse.home.database
    aside, log = _aside(database), database.with_name(f"{database.name}.wal")
    with (
        warehouse.alone("putting a published copy in the place of the damaged database"),
        written_whole(database) as partial,
    ):
        shutil.copyfile(copy, partial)
        with warehouse.file(partial) as connection:
            connection.execute(query("drop_published_relations"))
        aside.unlink(missing_ok=True)
        aside.hardlink_to(database)
        # Beside the copy it would belong to no database.
        if log.exists():
            log.replace(_aside(log))


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.damaged")


def _examine_database(warehouse: Warehouse, fix: bool) -> Iterator[Finding]:
    cause = _damage(warehouse)
    if cause is None:
        return
    whole = [version for version in versions(warehouse.home) if _version_damage(warehouse, version) is None]
    if not whole:
        yield Finding(
            cause, "No copy was published: make another home with fakesmrt init, fakesmrt add and build"
        )
        return
    copy = whole[-1].path
    if fix:
        _restore_database(warehouse, copy)
    told = "What was committed since is lost: run fakesmrt add for newer corpora, then fakesmrt build"
    yield Finding(
        cause,
        f"{copy} has taken its place. {told}"
        if fix
        else f"Run: fakesmrt doctor --fix, which puts {copy} there",
        fix,
    )


def _examine_leftovers(warehouse: Warehouse, fix: bool) -> Iterator[Finding]:
    for path in left_behind(warehouse.home, alone=fix):
        if fix and path.is_dir():
            shutil.rmtree(path)
        elif fix:
            path.unlink(missing_ok=True)
        yield Finding(
            f"{path} was left by a process that is gone",
            "It is removed" if fix else "Run: fakesmrt doctor --fix",
            fix,
        )
    for key in remove_unfinished(warehouse.home.root) if fix else []:
        yield Finding(f"{key} was put into the object store in part", "It is removed", mended=True)


def _is_damaged(path: Path, n_rows: int, *, thorough: bool) -> bool:
    """Whether a Parquet file is missing, unreadable, or has fewer rows.

    Args:
        path: the file.
        n_rows: what it must have at least.
        thorough: read all of it; else its end, which tells the rest.
    """
    try:
        with opened(path) as source, parquet.ParquetFile(source) as file:
            if thorough:
                for _ in file.iter_batches(ROW_GROUP_ROWS):
                    pass
            return int(file.metadata.num_rows) < n_rows
    except (OSError, pa.ArrowException):
        return True


def _is_forgetting(warehouse: Warehouse) -> bool:
    """Whether a forget is unfinished: it has to read every file, and stops at one that is damaged."""
    with warehouse.read() as connection:
        return bool(unfinished_contents(connection))


def _examine_text(warehouse: Warehouse, fix: bool) -> Iterator[Finding]:
    folder, thorough = warehouse.home.text, _is_forgetting(warehouse)
    with warehouse.read() as connection:
        rows = dict(connection.execute(query("text_file_rows")).fetchall())
    for name in sorted({*rows, *names(folder, "*.parquet")}):
        if not _is_damaged(text_file(folder, name), rows.get(name, 0), thorough=thorough):
            continue
        if fix:
            with warehouse.write("taking out chunks without text") as connection:
                run_script(connection, "take_out_text_file", {"text_file": name})
            remove(folder / name)
        remedy = "Its chunks are taken out; cut them again with: fakesmrt build" if fix else REBUILD
        yield Finding(f"The text file {folder / name} is missing or damaged", remedy, fix)


def _examine_index(warehouse: Warehouse, fix: bool) -> Iterator[Finding]:
    folder, thorough = warehouse.home.index, _is_forgetting(warehouse)
    with warehouse.read() as connection:
        recorded = {name for (name,) in connection.execute(query("all_index_files")).fetchall()}
    for name in sorted(recorded.union(names(folder, "*.parquet"))):
        if not _is_damaged(folder / name, 0, thorough=thorough):
            continue
        if fix:
            with warehouse.write("taking out lost signatures") as connection:
                run_script(connection, "take_out_index_file", {"index_file": name})
        remedy = "Its chunks are compared again by: fakesmrt build" if fix else REBUILD
        yield Finding(f"The index file {folder / name} is missing or damaged", remedy, fix)


def _examine_references(warehouse: Warehouse) -> Iterator[Finding]:
    with warehouse.read() as connection:
        pins = connection.execute(
            "SELECT path FROM corpus.reference WHERE kind = 'ngram' ORDER BY path"
        ).fetchall()
    for (path,) in pins:
        try:
            Reference.load(warehouse.home.references / path)
        except FakesmrtError as error:
            yield Finding(error.cause, error.remedy)


def _examine_shards(warehouse: Warehouse, fix: bool) -> Iterator[Finding]:
    with warehouse.read() as connection:
        shards = connection.execute("SELECT path, sha256, recipe FROM tokens.shard ORDER BY path").fetchall()
    for path, sha256, recipe in shards:
        binary = warehouse.home.tokens / path
        try:
            open_shard(binary.with_suffix(".json"), verify=True)
            if file_sha256(binary) == sha256:
                continue
            cause = f"The shard {binary} is not the one that the database names"
        except CorruptArtefact as error:
            cause = error.cause
        if fix:
            remove_shard(binary.with_suffix(".json"))
            _make_stale(warehouse, "tokens/shard", recipe)
        yield Finding(cause, "It is written again by: fakesmrt build" if fix else REBUILD, fix)
    yield from _examine_past_shards(warehouse, {path for path, _, _ in shards}, fix)


def _examine_past_shards(warehouse: Warehouse, current: set[str], fix: bool) -> Iterator[Finding]:
    """Shards that were set aside, or of another tokenizer: none is written again, and none that is damaged can be
    forgotten from."""
    for folder in folders(warehouse.home.tokens):
        place = warehouse.home.tokens / folder
        for name in [*names(place, "*.json"), *names(place, f"*{PAST_SUFFIX}")]:
            manifest = place / name
            if name == TOKENIZER_FILE or f"{folder}/{manifest.stem}.bin" in current:
                continue
            try:
                open_shard(manifest, verify=True)
            except CorruptArtefact as error:
                if fix:
                    remove_shard(manifest)
                remedy = "It is removed" if fix else "Run: fakesmrt doctor --fix, which removes it"
                yield Finding(f"{error.cause}; it is of the past", remedy, fix)


def _examine_models(warehouse: Warehouse, fix: bool) -> Iterator[Finding]:
    with warehouse.read() as connection:
        models = connection.execute(query("model_files")).fetchall()
    for path, sha256, recipe in models:
        weights = fetched_folder(warehouse.home.models / path) / "model.safetensors"
        if not weights.exists() and (weights.parent / "ensemble.json").exists():
            continue
        if weights.exists() and file_sha256(weights) == sha256:
            continue
        if fix:
            # A finished training is taken by its result: without it the training runs again.
            remove(weights.parent.parent / "result.json")
            for asset in ("models/micromodel", "models/mixed_model", "models/promoted_model"):
                _make_stale(warehouse, asset, recipe)
        remedy = "It is trained again by: fakesmrt build" if fix else REBUILD
        yield Finding(f"The model {weights} is missing or not the one that the database names", remedy, fix)


def _make_stale(warehouse: Warehouse, asset: str, recipe: str) -> None:
    with warehouse.write(f"marking {asset} for another build") as connection:
        connection.execute("DELETE FROM meta.materialization WHERE asset = ? AND scope = ?", [asset, recipe])


def _version_damage(warehouse: Warehouse, version: PublishedVersion) -> FakesmrtError | None:
    """Why not every row of a version can be read; None if it can."""
    try:
        with warehouse.published_file(version.path) as connection:
            for schema, table in connection.execute(query("stored_tables")).fetchall():
                # Names from the catalogue, quoted. DuckDB compares a checksum for each block that it reads.
                connection.execute(f'SELECT bit_xor(hash(t)) FROM "{schema}"."{table}" AS t').fetchall()  # noqa: S608  # names of the file
    except FakesmrtError as error:
        return error
    return None


def _newest_damage(warehouse: Warehouse) -> str | None:
    """Why the newest copy, or the text that it names, cannot be read; None if it can."""
    for version in versions(warehouse.home):
        if version.is_newest and (damage := _version_damage(warehouse, version)):
            return damage.cause
    try:
        with warehouse.read_published() as connection:
            connection.execute("SELECT count(*) FROM corpus.chunk_text").fetchall()
        return None
    except (FakesmrtError, duckdb.Error) as error:
        return str(error).splitlines()[0]


def _examine_published(warehouse: Warehouse, fix: bool) -> Iterator[Finding]:
    link = warehouse.home.published
    if os.path.lexists(link) and (cause := _newest_damage(warehouse)):
        if fix:
            link.unlink(missing_ok=True)
            warehouse.publish()
        yield Finding(
            f"The published copy {link} cannot be read: {cause}",
            "A new one is published" if fix else "Run: fakesmrt doctor --fix",
            fix,
        )
    for version in versions(warehouse.home):
        if not version.is_newest and (damage := _version_damage(warehouse, version)):
            yield _about_version(warehouse, version, damage, fix)


def _about_version(
    warehouse: Warehouse, version: PublishedVersion, damage: FakesmrtError, fix: bool
) -> Finding:
    what = f"Published version {version.number} cannot be read: {damage.cause}"
    if version.pin:
        unpin = f"fakesmrt versions unpin {version.number}"
        return Finding(what, f"It is pinned. Run: {unpin}, then fakesmrt doctor --fix")
    if fix and isinstance(damage, CorruptArtefact):
        remove_version(warehouse.home, version.number)
        return Finding(what, "It is removed", mended=True)
    return Finding(what, damage.remedy)


def _examine_forgetting(warehouse: Warehouse, fix: bool) -> Iterator[Finding]:
    with warehouse.read() as connection:
        contents = unfinished_contents(connection)
    hindrance = _hindrance(warehouse) if fix else None
    for content in contents:
        what = f"The {content.scope} {content.name} is forgotten only in part: files may still hold its text"
        if hindrance:
            yield Finding(f"{what}. {hindrance.cause}", hindrance.remedy)
        else:
            yield Finding(what, "The rest is done" if fix else f"Run: fakesmrt forget {content.subject}", fix)


def _hindrance(warehouse: Warehouse) -> CorruptArtefact | None:
    """End what is forgotten in part; returns the damage that does not let it."""
    try:
        finish_unfinished(warehouse)
    except CorruptArtefact as error:
        return error
    return None


def examine_home(warehouse: Warehouse, *, fix: bool) -> list[Finding]:
    """Everything that is wrong in a home; with `fix`, mend what can be mended without losing anything.

    Raises:
        InputUnreadable: if there is no home.
        InvalidConfiguration: without `fix`, if an earlier fakesmrt made it.
    """
    warehouse.home.require()
    for folder in warehouse.home.folders():
        folder.mkdir(parents=True, exist_ok=True)
    found = list(_examine_database(warehouse, fix))
    if any(not finding.mended for finding in found):
        return found
    if fix:
        warehouse.upgrade()
    else:
        with warehouse.read() as connection:
            require_current_version(connection)
    return [
        *found,
        *_examine_text(warehouse, fix),
        *_examine_index(warehouse, fix),
        *_examine_shards(warehouse, fix),
        *_examine_published(warehouse, fix),
        # After all whose damage would not let it end.
        *_examine_forgetting(warehouse, fix),
        *_examine_leftovers(warehouse, fix),
        *_examine_references(warehouse),
        *_examine_models(warehouse, fix),
    ]
