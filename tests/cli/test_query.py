"""``fakesmrt sql`` and ``fakesmrt trace`` on a published example database."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet
import pytest

from fakesmrt_assets.cli import main as command_line
from fakesmrt_assets.cli import query, tracing
from warehouse.database import Warehouse
from warehouse.home import Home
from warehouse.retrieval.segments import NumberedFile, write_segment

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def published_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Home(tmp_path_factory.mktemp("home"))
    warehouse = Warehouse(home)
    warehouse.initialise("salt")
    rows = Path(__file__).parent.parent / "lineage" / "example_rows.sql"
    with warehouse.write("filling") as connection:
        connection.execute(rows.read_text())
        connection.execute("UPDATE corpus.chunk SET text_file = 'one.parquet'")
    home.text.mkdir(exist_ok=True)
    with duckdb.connect() as connection:
        texts = "SELECT md5('chunk-1')::UUID AS chunk_id, 'a licence without warranty' AS text"
        connection.sql(texts).to_parquet(str(home.text / "one.parquet"))
    write_segment(home.index / "search-one.parquet", home.text, [NumberedFile("one.parquet", 1)])
    with warehouse.write("indexing") as connection:
        connection.execute(
            "INSERT INTO corpus.search_index VALUES ('one.parquet', 1, '', 'search-one.parquet', 1, 4)"
        )
    warehouse.publish()
    return home.root


@pytest.fixture
def run(published_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("FAKESMRT_HOME", str(published_home))
    monkeypatch.setattr(command_line, "COMMANDS", {"sql": query.__name__, "trace": tracing.__name__})

    def run_command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["fakesmrt", *arguments])
        status = command_line.run()
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run_command


def test_json_is_one_object_a_row_with_ids_and_hashes_as_text(run: Run) -> None:
    status, out, _ = run(
        "sql",
        "SELECT source_id, sha256, error, retired_at FROM corpus.source_file ORDER BY path",
        "--format",
        "json",
    )
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert len(rows) == 4
    assert len(rows[0]["source_id"]) == 36
    assert int(rows[0]["sha256"], 16)
    assert rows[0]["retired_at"] is None


def test_json_keeps_every_column_of_a_repeated_name_and_knows_no_infinity(run: Run) -> None:
    _, out, _ = run("sql", "SELECT 1 AS a, 2 AS a, 'inf'::DOUBLE AS b, [uuid()] AS c", "--format", "json")
    row = json.loads(out, parse_constant=pytest.fail)
    assert (row["a"], row["a_1"], row["b"]) == (1, 2, "inf")
    assert len(row["c"][0]) == 36


def test_csv_reads_back(run: Run) -> None:
    _, out, _ = run("sql", "SELECT path, n_bytes FROM corpus.source_file ORDER BY path", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert rows[0] == {"path": "/texts/<script>alert(1)</script>.txt", "n_bytes": "1000"}


def test_parquet_goes_to_a_file(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "chunks.parquet"
    query_text = "SELECT chunk_id, n_words FROM corpus.chunk"
    assert run("sql", query_text, "--format", "parquet", "--output", str(target))[0] == 0
    assert pyarrow.parquet.read_table(target).num_rows == 9


def test_the_table_shows_markup_and_control_characters_as_they_are(run: Run) -> None:
    status, out, _ = run("sql", "SELECT '[bold]x[/bold]' || chr(27) || '[2J' AS path")
    assert status == 0
    assert "[bold]x[/bold]\\x1b[2J" in out


def test_a_table_that_goes_to_a_file_is_not_folded(run: Run) -> None:
    _, out, _ = run("sql", "SELECT repeat('long ', 30) AS first, 1 / 3.0::DOUBLE AS second")
    assert "long " * 29 in out
    assert "0.333333 " in out


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE t (a INT)",
        "DELETE FROM corpus.chunk",
        "COPY corpus.chunk TO '/tmp/never'",
        "ATTACH '/tmp/never.duckdb' AS other",
        "EXPLAIN ANALYZE DELETE FROM corpus.chunk",
        "SELECT 1; SELECT 2",
        "SELECT nothing FROM corpus.chunk",
        "SELEC 1",
        "",
    ],
)
def test_what_is_no_single_reading_statement_is_refused_in_one_line(run: Run, statement: str) -> None:
    status, out, err = run("sql", statement)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "Traceback" not in err


WRITES = "WITH x AS (COPY (SELECT 1) TO '{folder}/x.csv') SELECT * FROM x"


@pytest.mark.parametrize(
    "statement",
    [
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/x.csv'",
        "EXPLAIN -- first\n ANALYZE COPY (SELECT 1) TO '{folder}/x.csv'",
        "IMPORT DATABASE '{folder}/../scripts'",
        "PRAGMA storage_info('t''); COPY (SELECT 1) TO ''{folder}/x.csv')",
        "CALL enable_logging(storage='file', storage_path='{folder}/log')",
        "FROM enable_logging(storage='file', storage_path='{folder}/log')",
        "FROM query('FROM enable_logging(storage=''file'', storage_path=''{folder}/log'')')",
        WRITES,
        f"EXPLAIN ANALYZE {WRITES}",
        "WITH x AS (COPY (SELECT 1) TO '{folder}/x.csv') PIVOT corpus.location ON corpus USING count(*)",
    ],
)
def test_no_statement_writes_a_file(run: Run, tmp_path: Path, statement: str) -> None:
    folder = tmp_path / "nothing"
    folder.mkdir()
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "schema.sql").write_text(f"COPY (SELECT 1) TO '{folder}/x.csv';")
    (tmp_path / "scripts" / "load.sql").touch()
    assert run("sql", statement.format(folder=folder))[0] == 1
    assert list(folder.iterdir()) == []


def test_a_text_that_is_run_as_a_statement_is_refused(run: Run, tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        writes = WRITES.format(folder=tmp_path)
        [(tree,)] = connection.execute("SELECT json_serialize_sql(?)", [writes]).fetchall()
    quoted = tree.replace("'", "''")
    assert "json_execute_serialized_sql" in run("sql", f"FROM json_execute_serialized_sql('{quoted}')")[2]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "PIVOT corpus.source_file ON status USING count(*)",
        "EXPLAIN SELECT 1",
        "EXPLAIN (ANALYZE, FORMAT json) SELECT 1",
        "PRAGMA table_info('corpus.chunk')",
        "PRAGMA show_tables",
        "DESCRIBE corpus.chunk",
        "SUMMARIZE corpus.location",
        "SELECT 'copy, update' AS \"insert\" UNION ALL SELECT 'b'",
        "FROM read_csv('{folder}/mine.csv')",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3) FROM n;",
    ],
)
def test_whatever_reads_is_answered(run: Run, tmp_path: Path, statement: str) -> None:
    (tmp_path / "mine.csv").write_text("a,b\n1,2\n")
    status, _, err = run("sql", statement.format(folder=tmp_path), "--format", "json")
    assert (status, err) == (0, "")


@pytest.mark.parametrize(
    "arguments", [["SELECT 1", "--query", "models"], ["SELECT 1", "--format", "parquet"]]
)
def test_wrong_usage_has_status_2(run: Run, arguments: list[str]) -> None:
    assert run("sql", *arguments)[0] == 2


def test_every_example_query_runs_and_is_listed(run: Run) -> None:
    _, listing, _ = run("sql")
    for name in query._examples():
        assert name in listing
        status, out, err = run("sql", "--query", name, "--format", "json")
        assert (status, err) == (0, ""), name
        assert out, name


def test_an_unknown_query_names_those_that_exist(run: Run) -> None:
    status, _, err = run("sql", "--query", "../schema")
    assert status == 1
    assert "model_licences" in err


def test_before_the_first_build_there_is_one_line_with_the_remedy(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Warehouse(Home(tmp_path)).initialise("salt")
    monkeypatch.setenv("FAKESMRT_HOME", str(tmp_path))
    for arguments in (["sql", "SELECT 1"], ["trace", "promoted"]):
        status, out, err = run(*arguments)
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert "fakesmrt build" in err


def test_trace_prints_a_tree(run: Run) -> None:
    status, out, _ = run("trace", "promoted")
    assert status == 0
    assert "CC-BY-4.0" in out
    assert "source no longer held" in out
    assert "n_tokens 12,000" in out
    assert "path night-1/mixed" in out


def test_trace_as_json_is_one_object(run: Run) -> None:
    _, out, _ = run("trace", "alice.txt", "--json")
    node = json.loads(out)
    assert node["kind"] == "source_file"
    assert {child["kind"] for child in node["children"]} == {"document", "decision", "dropped", "checkpoint"}


def test_trace_all_lists_every_row_and_a_token_is_traced_by_its_shard(run: Run) -> None:
    _, out, _ = run("trace", "promoted", "--all")
    assert "only the first" not in out
    status, out, _ = run("trace", "train-0:5123", "--json")
    node = json.loads(out)
    assert (status, node["kind"], node["facts"]["proof"]) == (0, "token", "in part")
    notes = [child["facts"].get("note") for child in node["children"] if child["kind"] == "proof"]
    assert "cannot be read: No such file or directory" in str(notes)


def test_a_file_is_also_named_as_it_lies_here(
    run: Run, monkeypatch: pytest.MonkeyPatch, published_home: Path, tmp_path: Path
) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "june.txt").touch()
    warehouse = Warehouse(Home(published_home))
    with warehouse.write("test") as connection:
        connection.execute(
            "UPDATE corpus.source_file SET path = ? WHERE path = '/texts/letter.txt'",
            [str(tmp_path / "letters" / "june.txt")],
        )
        connection.execute(
            'INSERT INTO meta.materialization SELECT * REPLACE (now() AS "at") FROM meta.materialization'
        )
    warehouse.publish()
    monkeypatch.chdir(tmp_path)
    _, out, _ = run("trace", "./letters/../letters/june.txt", "--json")
    assert json.loads(out)["facts"]["path"] == str(tmp_path / "letters" / "june.txt")


def test_trace_of_an_unknown_id_is_one_line(run: Run) -> None:
    status, out, err = run("trace", "no such thing")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "no such thing" in err


def test_a_damaged_copy_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, published_home: Path, tmp_path: Path
) -> None:
    shutil.copytree(published_home, tmp_path / "home", symlinks=True)
    damaged = (tmp_path / "home" / "published.duckdb").resolve()
    damaged.chmod(0o644)
    damaged.write_bytes(b"no database")
    monkeypatch.setenv("FAKESMRT_HOME", str(tmp_path / "home"))
    status, out, err = run("sql", "SELECT 1")
    assert (status, out, err.count("\n")) == (1, "", 1)
