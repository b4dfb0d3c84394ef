"""A home whose database holds the example rows and whose text files hold hostile text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet
import pytest

from warehouse.database import migrate
from warehouse.home import Home

HOSTILE_TEXT = "</blockquote><script>alert('x')</script>\x1b[2J & eve@evil.org so on, {{ 7 * 7 }} <img src=http://evil.example>"

MIX_RECORD = {
    "members": [{"name": "0"}, {"name": "1"}],
    "decision": {
        "chosen": "uniform",
        "accepted": True,
        "reason": "uniform beats 0 on confirm",
        "confirm_gain": 0.02,
        "confirm_gain_low": 0.01,
        "n_confirm_documents": 40,
        "select_bits_per_byte": {"0": 2.1, "1": 2.2, "uniform": 2.0},
        "confirm_bits_per_byte": {"0": 2.1, "1": 2.2, "uniform": 2.05},
    },
    "report_bits_per_byte": {"0": 2.1, "1": 2.2, "uniform": 2.0},
}


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    home.text.mkdir()
    texts = pa.table({"text": [f"{number} {HOSTILE_TEXT}" for number in range(9)]})
    pyarrow.parquet.write_table(texts, home.text / "one.parquet")
    mixed = home.models / "night-1" / "mixed"
    mixed.mkdir(parents=True)
    (mixed / "mix.json").write_text(json.dumps(MIX_RECORD))
    with duckdb.connect(str(home.database)) as connection:
        migrate(connection)
        connection.execute((Path(__file__).parent.parent / "lineage" / "example_rows.sql").read_text())
    return home


@pytest.fixture
def database(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(home.database), read_only=True) as connection:
        yield connection
