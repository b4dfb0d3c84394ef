"""Text that stands on every machine with Python: what ``fakesmrt demo`` reads (DESIGN §12).

Four corpora: Python's library, its documentation topics, licence texts, and the descriptions of installed packages.
"""

from __future__ import annotations

import sysconfig
from email.parser import HeaderParser
from pathlib import Path
from pydoc_data.topics import topics

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from warehouse.corpora import Registration, find_files
from warehouse.files import write_bytes_whole

PREFIX = "demo_"
"""Names of the demo's corpora begin so."""

UNSTATED = "LicenseRef-Unstated"


def _package_licence(metadata: Path) -> str:
    """The SPDX licence that a package's metadata states; `UNSTATED` where it states none."""
    headers = HeaderParser().parsestr(metadata.read_text(encoding="utf-8", errors="replace"))
    for field in ("License-Expression", "License"):
        try:
            return str(canonicalize_license_expression(headers.get(field, "")))
        except InvalidLicenseExpression:
            continue
    return UNSTATED


def _write_topics(folder: Path) -> Path:
    """Python keeps its documentation topics as one dictionary; here each becomes a file of text."""
    for name, text in topics.items():
        path = folder / f"{name.replace('/', '-')}.txt"
        if not path.exists():
            write_bytes_whole(path, text.encode())
    return folder


def demo_registrations(raw: Path) -> list[Registration]:
    """The demo's corpora on this machine; one without files is left out.

    Args:
        raw: the home's folder for what is brought, into which the documentation topics are written.
    """
    library = Path(sysconfig.get_paths()["stdlib"])
    packages = Path(sysconfig.get_paths()["purelib"])
    metadata = sorted(packages.glob("*.dist-info/METADATA"))
    places = {
        "library": [library / "*.py"],
        "topics": [_write_topics(raw / f"{PREFIX}topics")],
        "licences": [
            library / "LICENSE.txt",
            Path("/usr/share/common-licenses"),
            packages / "*.dist-info" / "**" / "LICEN[CS]E*",
        ],
        "packages": [packages / "*.dist-info" / "METADATA"],
    }
    licences = {
        "library": "PSF-2.0",
        "topics": "PSF-2.0",
        "licences": "LicenseRef-Licence-Text",
        "packages": UNSTATED,
    }
    overrides = {"packages": {path: _package_licence(path) for path in metadata}}
    registrations = []
    for name, locations in places.items():
        there = [str(path) for path in locations if any(find_files(str(path)))]
        if there:
            registrations.append(
                Registration(
                    PREFIX + name, there, licences[name], "https://www.python.org/", overrides.get(name, {})
                )
            )
    return registrations
