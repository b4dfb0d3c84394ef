"""A Training Database with the rows of ``example_rows.sql``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from warehouse.database import migrate


@pytest.fixture(scope="session")
def example_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("example") / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        migrate(connection)
        connection.execute((Path(__file__).parent / "example_rows.sql").read_text())
    return path


@pytest.fixture
def database(example_file: Path, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy that a test may change."""
    with duckdb.connect(shutil.copy(example_file, tmp_path)) as connection:
        yield connection
