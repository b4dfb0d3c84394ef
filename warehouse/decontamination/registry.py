"""Registered evaluation sets: their names and places; and their files as they are now.

What lives here: registration, and hashing the files. What does not: searching, which is the stage ``contamination``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from warehouse.corpora import absolute_location
from warehouse.database import Connection, query, read_rows
from warehouse.decontamination.evaluation_files import evaluation_files
from warehouse.decontamination.held_out import HELD_OUT
from warehouse.decontamination.search import RULE_VERSION
from warehouse.errors import InputUnreadable, InvalidConfiguration
from warehouse.files import file_sha256
from warehouse.identity import content_id


@dataclass(frozen=True)
class EvaluationLocation:
    """A path registered as a set of evaluation items.

    Attributes:
        evaluation_set: name of the set.
        path: absolute path of a file or folder, or a glob.
        fields: names of the fields that hold the items' texts; empty: they are chosen.
    """

    evaluation_set: str
    path: str
    fields: Sequence[str]


@dataclass(frozen=True)
class EvaluationFile:
    """A file of evaluation items as it is now.

    Attributes:
        evaluation_set: name of the set.
        path: absolute path.
        fields: as registered.
        sha256: hash of its bytes.
        file_id: hash of the set, the bytes, the fields and the version of the search.
    """

    evaluation_set: str
    path: Path
    fields: tuple[str, ...]
    sha256: bytes
    file_id: UUID


@dataclass(frozen=True)
class RegisteredSet:
    """A set as of the last build, a row of ``fakesmrt evaluation list``."""

    evaluation_set: str
    path: str
    n_files: int
    n_items: int
    n_unsearched: int
    n_found: int
    n_chunks: int


def register_set(connection: Connection, name: str, paths: Sequence[str], fields: Sequence[str]) -> list[str]:
    """Add paths to a set, or renew the fields of paths that it has.

    Returns:
        The absolute paths.

    Raises:
        InvalidConfiguration: for an impossible name.
        InputUnreadable: for a path where nothing is.
    """
    if not re.fullmatch(r"\w[\w.-]*", name) or name == HELD_OUT:
        raise InvalidConfiguration(
            f"{name!r} cannot name an evaluation set",
            f"Use letters, digits, '_', '-' and '.', and not {HELD_OUT}",
        )
    locations = [absolute_location(path) for path in paths]
    for location in locations:
        connection.execute(
            "DELETE FROM corpus.evaluation_location WHERE evaluation_set = ? AND path = ?", [name, location]
        )
        connection.execute(
            "INSERT INTO corpus.evaluation_location VALUES (?, ?, ?)", [name, location, list(fields)]
        )
    return locations


def remove_set(connection: Connection, name: str) -> None:
    """Take a set out; its findings go with the next build.

    Raises:
        InvalidConfiguration: if it is not registered.
    """
    known = {location.evaluation_set for location in registered_locations(connection)}
    if name not in known:
        raise InvalidConfiguration(
            f"There is no evaluation set {name!r}", f"Registered are: {', '.join(sorted(known)) or 'none'}"
        )
    connection.execute("DELETE FROM corpus.evaluation_location WHERE evaluation_set = ?", [name])


def require_sets(connection: Connection, names: Sequence[str]) -> None:
    """Raise unless all these sets are registered: a misspelled one would let its items pass.

    Raises:
        InvalidConfiguration: names the first that is not.
    """
    known = sorted({location.evaluation_set for location in registered_locations(connection)})
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise InvalidConfiguration(
                f"decontamination.evaluation_sets names a set {name!r} that is not registered",
                f"Did you mean {near[0]}?" if near else f"Registered are: {', '.join(known) or 'none'}",
            )


def registered_locations(connection: Connection) -> list[EvaluationLocation]:
    """All registered paths, by set and path."""
    sql = "SELECT evaluation_set, path, fields FROM corpus.evaluation_location ORDER BY ALL"
    return read_rows(connection, sql, [], EvaluationLocation)


def registered_sets(connection: Connection) -> list[RegisteredSet]:
    """All registered paths with what the last build found of their sets."""
    return read_rows(connection, query("evaluation_sets"), [], RegisteredSet)


def current_files(locations: Sequence[EvaluationLocation]) -> list[EvaluationFile]:
    """The files at some locations, each once a set, with the hashes of their bytes.

    Raises:
        InputUnreadable: if a location or a file is gone.
    """
    files: dict[tuple[str, Path], EvaluationFile] = {}
    for location in locations:
        try:
            paths = evaluation_files(location.path)
            hashes = [file_sha256(path) for path in paths]
        except (InputUnreadable, OSError) as error:
            cause = (
                error.cause if isinstance(error, InputUnreadable) else f"{location.path}: {error.strerror}"
            )
            raise InputUnreadable(
                f"The evaluation set {location.evaluation_set} cannot be read: {cause}",
                f"Put it back, or: fakesmrt evaluation remove {location.evaluation_set}",
            ) from error
        for path, sha256 in zip(paths, hashes, strict=True):
            name, fields = location.evaluation_set, tuple(location.fields)
            file_id = content_id("evaluation file", name, sha256, *fields, path.suffix.lower(), RULE_VERSION)
            files[name, path] = EvaluationFile(name, path, fields, sha256, file_id)
    return list(files.values())
