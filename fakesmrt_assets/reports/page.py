"""From a report's values to its files: one HTML page that needs nothing else, and the same values as JSON.

What lives here: rendering and writing, the same for every report. Templates escape everything that they show:
the text of a corpus, its paths and the errors of its files are somebody else's.
"""

from __future__ import annotations

import dataclasses
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.files import write_bytes_whole

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from jinja2 import Environment

EXCERPT_CHARACTERS = 280


@lru_cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("fakesmrt_assets", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"count": count, "size": size, "share": share, "literal": literal}
    return environment


def render(template: str, **values: Any) -> str:
    """The template of that name, filled."""
    return _templates().get_template(template).render(**values)


def as_json(data: DataclassInstance) -> str:
    """The values of a report as one JSON object."""
    return (
        json.dumps(dataclasses.asdict(data), ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n"
    )


def write_report(folder: Path, name: str, text: str, data: DataclassInstance, suffix: str = ".html") -> Path:
    """Write ``<name><suffix>`` and ``<name>.json``, each whole or not at all.

    Returns:
        Path of the first.
    """
    write_bytes_whole(folder / f"{name}.json", as_json(data).encode())
    write_bytes_whole(folder / f"{name}{suffix}", text.encode())
    return folder / f"{name}{suffix}"


def excerpt(text: str) -> str:
    """The beginning of a text on one line, without characters that cannot be printed."""
    flat = " ".join(text[: 4 * EXCERPT_CHARACTERS].split())
    printable = "".join(character for character in flat if character.isprintable())
    return printable if len(printable) <= EXCERPT_CHARACTERS else printable[:EXCERPT_CHARACTERS] + "…"


def count(value: float) -> str:
    """12345 as 12,345."""
    return f"{value:,.0f}"


def size(n_bytes: float) -> str:
    """A number of bytes in the largest decimal unit that leaves a number above 1."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:,.0f} {unit}" if unit == "B" else f"{n_bytes:,.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:,.1f} TB"


def share(part: float, whole: float) -> str:
    """A part of a whole in per cent; nothing where there is no whole."""
    return f"{part / whole:.1%}" if whole else ""


def literal(text: str) -> str:
    """The text as Markdown shows it, whatever it holds (HTML is escaped by the template)."""
    return "".join(f"\\{character}" if character in "\\`*_{}[]#|~" else character for character in text)
