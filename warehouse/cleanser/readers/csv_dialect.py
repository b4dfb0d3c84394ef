"""How a table is written, told from its first rows alone.

What lives here: which delimiter, whether cells are quoted, whether there is a header. What does not: reading.

As in Python's ``csv.Sniffer`` and in van den Burg, Nazábal and Sutton, "Wrangling Messy CSV Files by Detecting Row and
Type Patterns" (2019), a delimiter is believed if rows that are split by it have equally many cells.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice

from warehouse.cleanser.readers.csv_rows import QUOTE, Dialect, row_ends, split_row
from warehouse.cleanser.readers.reader import HEAD_CHARACTERS
from warehouse.cleanser.text_keys import is_known_key

DELIMITERS = "\t,;|"
"""Best first among equals: a tab is hardly ever in prose, a comma often."""

LOWEST_CONSISTENCY = 0.8
"""Share of rows that must have the most frequent number of cells."""

MOST_ROWS = 200
LONGEST_NAME = 64

_IDENTIFIER = re.compile(r"[^\W\d][\w.-]*")
_NUMBER = re.compile(r"\s*[-+]?[\d.,:/%$€£-]*\d[\d.,:/%$€£-]*\s*")


@dataclass(frozen=True)
class _Trial:
    """What a dialect makes of the first rows."""

    dialect: Dialect
    rows: list[list[str]]
    n_columns: int
    consistency: float


def dialect_of(head: str) -> Dialect | None:
    """The dialect of the table that begins with `head`; None where it is no table."""
    quoting = (True, False) if QUOTE in head else (False,)
    trials = [
        _tried(head, Dialect(delimiter, is_quoted)) for is_quoted in quoting for delimiter in DELIMITERS
    ]
    tables = [trial for trial in trials if _is_table(trial)]
    if not tables:
        return None
    best = max(tables, key=lambda trial: (trial.n_columns > 1, trial.consistency))
    # A quote further on is one too.
    dialect = replace(
        best.dialect, is_quoted=best.dialect.is_quoted or QUOTE not in head, n_columns=best.n_columns
    )
    columns = tuple(cell.strip() for cell in best.rows[0])
    return replace(dialect, columns=columns) if _has_header(best.rows) else dialect


def _tried(head: str, dialect: Dialect) -> _Trial:
    rows: list[list[str]] = []
    start = 0
    for end in islice(row_ends(head, dialect, is_last=len(head) < HEAD_CHARACTERS), MOST_ROWS):
        if not head[start:end].isspace():
            rows.append(split_row(head[start:end], dialect))
        start = end
    if not rows:
        return _Trial(dialect, rows, 0, 0.0)
    n_columns, n_rows = Counter(map(len, rows)).most_common(1)[0]
    if n_rows < LOWEST_CONSISTENCY * len(rows) and _are_identifiers(rows[0]):
        n_columns = len(rows[0])
        n_rows = sum(1 for row in rows if 1 < len(row) <= n_columns)
    return _Trial(dialect, rows, n_columns, n_rows / len(rows))


def _are_identifiers(names: list[str]) -> bool:
    """Whether a row is a header beyond doubt: some writers leave out empty cells at the end of the rows below."""
    return len(names) > 2 and len(set(names)) == len(names) and all(map(_IDENTIFIER.fullmatch, names))


def _is_table(trial: _Trial) -> bool:
    if not trial.rows or trial.consistency < LOWEST_CONSISTENCY:
        return False
    return any(map(is_known_key, trial.rows[0])) or (trial.n_columns > 1 and len(trial.rows) > 1)


def _has_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns: by names that are known, or by distinct short names above other
    things."""
    names, body = [name.strip() for name in rows[0]], rows[1:]
    if any(map(is_known_key, names)):
        return True
    if len(set(names)) < len(names) or not all(_is_name(name) for name in names):
        return False
    columns = [[row[index].strip() for row in body if index < len(row)] for index in range(len(names))]
    return not any(name in column for name, column in zip(names, columns, strict=True) if name)


def _is_name(cell: str) -> bool:
    return len(cell) <= LONGEST_NAME and not _NUMBER.fullmatch(cell) and not cell.endswith((".", "!", "?"))
