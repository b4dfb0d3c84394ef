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

from warehouse.database import Connection, Warehouse, query, run_script
from warehouse.errors import CorruptArtefact, FakesmrtError, InputUnreadable, InvalidConfiguration, LockHeld
from warehouse.files import fetched_folder, file_sha256, names, remove, remove_unfinished, written_whole
from warehouse.forgetting.contents import unfinished_contents
from warehouse.forgetting.forget import finish_unfinished
from warehouse.leftovers import left_behind
from warehouse.perplexity.reference import Reference
from warehouse.textstore import number_of_rows, text_file
from warehouse.tokens.shards import open_shard


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
    """Put a published copy in the place of the damaged database, which is kept beside it."""
    database = warehouse.home.database
    with warehouse.alone("putting a published copy in the place of the damaged database"):
        for path in (database, database.with_name(f"{database.name}.wal")):
            if path.exists():
                path.replace(path.with_name(f"{path.name}.damaged"))
        with written_whole(database) as partial:
            shutil.copyfile(copy, partial)
            with warehouse.file(partial) as connection:
                connection.execute(query("drop_published_relations"))
    warehouse.upgrade()


def _examine_database(warehouse: Warehouse, fix: bool) -> Iterator[Finding]:
    cause = _damage(warehouse)
    if cause is None:
        return
    if not warehouse.home.published.exists():
        yield Finding(
            cause, "Nothing was published: make another home with fakesmrt init, fakesmrt add and build"
        )
        return
    copy = warehouse.home.published.resolve()
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


def _damaged_text_files(connection: Connection, folder: Path) -> list[str]:
    damaged = []
    for name, n_rows in connection.execute(query("text_file_rows")).fetchall():
        try:
            if number_of_rows(text_file(folder, name)) < n_rows:
                damaged.append(name)
        except CorruptArtefact:
            damaged.append(name)
    return damaged


def _examine_text(warehouse: Warehouse, fix: bool) -> Iterator[Finding]:
    with warehouse.read() as connection:
        damaged = _damaged_text_files(connection, warehouse.home.text)
    for name in damaged:
        if fix:
            with warehouse.write("taking out chunks without text") as connection:
                run_script(connection, "take_out_text_file", {"text_file": name})
            remove(warehouse.home.text / name)
        remedy = "Its chunks are taken out; cut them again with: fakesmrt build" if fix else REBUILD
        yield Finding(f"The text file {warehouse.home.text / name} is missing or damaged", remedy, fix)


def _examine_index(warehouse: Warehouse, fix: bool) -> Iterator[Finding]:
    with warehouse.read() as connection:
        recorded = [name for (name,) in connection.execute(query("all_index_files")).fetchall()]
    for name in sorted(set(recorded) - set(names(warehouse.home.index))):
        if fix:
            with warehouse.write("taking out lost signatures") as connection:
                run_script(connection, "take_out_index_file", {"index_file": name})
        remedy = "Its chunks are compared again by: fakesmrt build" if fix else REBUILD
        yield Finding(f"The index file {warehouse.home.index / name} is missing", remedy, fix)


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
            remove(binary.with_suffix(".json"))
            _make_stale(warehouse, "tokens/shard", recipe)
        yield Finding(cause, "It is written again by: fakesmrt build" if fix else REBUILD, fix)


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


def _examine_published(warehouse: Warehouse, fix: bool) -> Iterator[Finding]:
    link = warehouse.home.published
    if not os.path.lexists(link):
        return
    try:
        with warehouse.read_published() as connection:
            connection.execute("SELECT count(*) FROM corpus.chunk_text").fetchall()
        return
    except (FakesmrtError, duckdb.Error) as error:
        cause = str(error).splitlines()[0]
    if fix:
        link.unlink(missing_ok=True)
        warehouse.publish()
    yield Finding(
        f"The published copy {link} cannot be read: {cause}",
        "A new one is published" if fix else "Run: fakesmrt doctor --fix",
        fix,
    )


def _examine_forgetting(warehouse: Warehouse, fix: bool) -> Iterator[Finding]:
    with warehouse.read() as connection:
        contents = unfinished_contents(connection)
    if fix:
        finish_unfinished(warehouse)
    for content in contents:
        yield Finding(
            f"The {content.scope} {content.name} is forgotten only in part: files may still hold its text",
            "The rest is done" if fix else f"Run: fakesmrt forget {content.subject}",
            fix,
        )


def examine_home(warehouse: Warehouse, *, fix: bool) -> list[Finding]:
    """Everything that is wrong in a home; with `fix`, mend what can be mended without losing anything.

    Raises:
        InputUnreadable: if there is no home.
    """
    warehouse.home.require()
    for folder in warehouse.home.folders():
        folder.mkdir(parents=True, exist_ok=True)
    found = list(_examine_database(warehouse, fix))
    if any(not finding.mended for finding in found):
        return found
    return [
        *found,
        *_examine_forgetting(warehouse, fix),
        *_examine_leftovers(warehouse, fix),
        *_examine_text(warehouse, fix),
        *_examine_index(warehouse, fix),
        *_examine_references(warehouse),
        *_examine_shards(warehouse, fix),
        *_examine_models(warehouse, fix),
        *_examine_published(warehouse, fix),
    ]
