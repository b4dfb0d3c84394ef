"""Registered corpora: their names, licences and the places they watch; and finding the files there.

What lives here: registration and the walk over locations. What does not: hashing and recording the files,
which is the stage ``source_file``.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from warehouse.database import Connection, query, read_rows
from warehouse.errors import InputUnreadable, InvalidConfiguration
from warehouse.licences import canonical_licence


@dataclass(frozen=True)
class Registration:
    """A corpus to register.

    Attributes:
        corpus: name: letters, digits, ``_``, ``-`` and ``.``.
        paths: files, folders or globs.
        licence: SPDX expression for files without their own.
        url: where the corpus comes from.
        overrides: licences of single files.
        weight: how often a document counts in training; None leaves it as it is, 1 for a new corpus.
    """

    corpus: str
    paths: Sequence[str]
    licence: str
    url: str | None = None
    overrides: Mapping[Path, str] = field(default_factory=dict)
    weight: float | None = None


@dataclass(frozen=True)
class Location:
    """A place that a corpus watches: an absolute path or glob."""

    corpus: str
    path: str


def absolute_location(path: str) -> str:
    """The location as it is stored.

    Raises:
        InputUnreadable: if it is neither there nor a glob that matches something.
    """
    location = str(Path(path).expanduser().absolute())
    if not Path(location).exists() and not (glob.has_magic(location) and _matches(location)):
        raise InputUnreadable(f"There is nothing at {location}", "Name a file, a folder or a quoted glob")
    return location


def register(connection: Connection, registration: Registration) -> list[str]:
    """Add a corpus, or add locations to it and renew its licence.

    Returns:
        The corpus's locations.

    Raises:
        InvalidConfiguration: for an impossible name, licence or weight.
        InputUnreadable: for a location where nothing is.
    """
    if not re.fullmatch(r"\w[\w.-]*", registration.corpus):
        raise InvalidConfiguration(
            f"{registration.corpus!r} cannot name a corpus", "Use letters, digits, '_', '-' and '.'"
        )
    if registration.weight is not None and registration.weight < 0:
        raise InvalidConfiguration(f"A corpus cannot weigh {registration.weight}", "Give 0 or more")
    licence = canonical_licence(registration.licence)
    locations = [absolute_location(path) for path in registration.paths]
    connection.execute(
        query("register_corpus"),
        {
            "corpus": registration.corpus,
            "licence": licence,
            "url": registration.url,
            "weight": registration.weight,
        },
    )
    for location in locations:
        connection.execute(query("register_location"), {"corpus": registration.corpus, "path": location})
    for path, own in registration.overrides.items():
        connection.execute(
            "DELETE FROM corpus.licence_override WHERE corpus = ? AND path = ?",
            [registration.corpus, str(path)],
        )
        connection.execute(
            "INSERT INTO corpus.licence_override VALUES (?, ?, ?)",
            [registration.corpus, str(path), canonical_licence(own)],
        )
    return [row.path for row in locations_of(connection, (registration.corpus,))]


def locations_of(connection: Connection, corpora: Sequence[str]) -> list[Location]:
    """Locations of the named corpora, of all where none is named.

    Raises:
        InvalidConfiguration: for a name that is not registered.
    """
    known = [row[0] for row in connection.execute("SELECT corpus FROM corpus.corpus").fetchall()]
    if unknown := sorted(set(corpora) - set(known)):
        there = ", ".join(sorted(known)) or "none yet"
        raise InvalidConfiguration(f"There is no corpus {unknown[0]!r}", f"Registered are: {there}")
    locations = read_rows(connection, "SELECT corpus, path FROM corpus.location ORDER BY ALL", [], Location)
    return [location for location in locations if not corpora or location.corpus in corpora]


def _matches(location: str) -> list[str]:
    # Unlike the module glob, pathlib does not follow symbolic links to folders: they may lead in a circle.
    root = Path(location).anchor
    return sorted(str(path) for path in Path(root).glob(location.removeprefix(root)))


Unlisted = Callable[[str, str], None]
"""Told of a place that cannot be listed, and why."""


def _walk(folder: str, unlisted: Unlisted) -> Iterator[str]:
    def failed(error: OSError) -> None:
        unlisted(str(error.filename), error.strerror or str(error))

    # Symbolic links to folders are not followed: they may lead in a circle.
    for parent, folders, names in os.walk(folder, onerror=failed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (str(Path(parent, name)) for name in sorted(names) if not name.startswith("."))


def _ignored(place: str, reason: str) -> None:
    del place, reason


def find_files(location: str, unlisted: Unlisted = _ignored) -> Iterator[str]:
    """Absolute paths of all files at a location, hidden ones left out, each once."""
    places = [location] if os.path.lexists(location) else _matches(location)
    if not places and not glob.has_magic(location):
        unlisted(location, "nothing is there")
    seen: set[str] = set()
    for place in places:
        for path in _walk(place, unlisted) if Path(place).is_dir() else [place]:
            if path not in seen:
                seen.add(path)
                yield path
