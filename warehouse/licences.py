"""Licences as SPDX expressions.

The list of identifiers is the one that ``packaging`` ships (SPDX licence list); ``LicenseRef-`` names are free.
"""

from __future__ import annotations

import csv
import difflib
import os
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.licenses._spdx import LICENSES

from warehouse.errors import InputUnreadable, InvalidConfiguration


def canonical_licence(expression: str) -> str:
    """The expression as SPDX writes it.

    Raises:
        InvalidConfiguration: for an unknown licence, with the nearest known ones.
    """
    try:
        return str(canonicalize_license_expression(expression))
    except InvalidLicenseExpression as error:
        known = {key.lower(): str(entry["id"]) for key, entry in LICENSES.items()}
        near = [known[key] for key in difflib.get_close_matches(expression.lower(), known, n=3)]
        own = "LicenseRef-" + "-".join("".join(c if c.isalnum() else " " for c in expression).split())
        suggestion = f"Did you mean {' or '.join(near)}? " if near else ""
        raise InvalidConfiguration(
            f"{expression!r} is no SPDX licence",
            f"{suggestion}A licence that SPDX does not list is written {own}",
        ) from error


def read_licence_file(path: Path) -> dict[Path, str]:
    """Licences of single files, from a CSV with the columns ``path`` and ``licence``.

    Relative paths are taken from the CSV's folder.

    Raises:
        InputUnreadable: if the file cannot be read or lacks a column.
        InvalidConfiguration: for an unknown licence.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputUnreadable(
            f"The licence file {path} cannot be read: {error}", "Give a CSV in UTF-8"
        ) from error
    if rows and not {"path", "licence"} <= set(rows[0]):
        raise InputUnreadable(
            f"The licence file {path} has the columns {', '.join(rows[0])}", "It needs: path, licence"
        )
    folder = path.absolute().parent
    licences = {}
    for number, row in enumerate(rows, start=2):
        if not row["path"] or not row["licence"]:
            raise InputUnreadable(
                f"Line {number} of {path} lacks a path or a licence", "Complete or remove it"
            )
        # Made absolute as locations are, without following links: the two must compare equal.
        file = Path(os.path.abspath(folder / row["path"]))  # noqa: PTH100  # resolve() would follow links
        if not file.exists():
            raise InputUnreadable(
                f"Line {number} of {path} names {file}, which is not there", "Correct the path"
            )
        licences[file] = canonical_licence(row["licence"])
    return licences
