"""Bad input: each file is recorded with a reason, and the build goes on with the others."""

from __future__ import annotations

import gzip
import io
import json
import math
import os
import zipfile
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path

import pytest

from tests.cleanser.packing import zipped
from tests.cleanser.samples import PROSE
from warehouse.cleanser.readers.reader import LARGEST_RECORD_BYTES
from warehouse.corpora import Registration, register
from warehouse.database import Warehouse, query, read_rows
from warehouse.home import Home
from warehouse.stages import chunk, document, source_file
from warehouse.stages.cutting import cut_batch
from warehouse.stages.feeding import LARGE_ARCHIVE_BYTES, LARGE_BYTES, Lane
from warehouse.stages.stage import BuildSettings, StageContext, StageReport

TEXT = PROSE.encode() * 20
ROWS = b"".join(json.dumps({"text": f"{number}. {PROSE}"}).encode() + b"\n" for number in range(40))


class Here(Executor):
    """Does each task at once, in this process: what there is to test is not the processes."""

    def submit(self, task, /, *arguments, **options):  # type: ignore[no-untyped-def]  # as its base has it
        done: Future[object] = Future()
        done.set_result(task(*arguments, **options))
        return done


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages use no processes."""
    monkeypatch.setattr(StageContext, "executor", lambda _: Here())


def built(warehouse: Warehouse, folder: Path, workers: int = 1) -> dict[str, StageReport]:
    """Register a folder and run the stages that read files."""
    with warehouse.write("test") as connection:
        register(connection, Registration("letters", [str(folder)], "CC0-1.0"))
    context = StageContext(warehouse, BuildSettings(workers=workers))
    return {stage.ASSET: stage.run(context) for stage in (source_file, document, chunk)}


def statuses(warehouse: Warehouse) -> dict[str, tuple[str, str | None]]:
    """Status and error of each file by its name."""
    with warehouse.read() as connection:
        rows = connection.execute("SELECT path, status, error FROM corpus.source_file").fetchall()
    return {path.rpartition("/")[2]: (status, error) for path, status, error in rows}


def dropped(warehouse: Warehouse, name: str) -> dict[str, int]:
    """Bytes of a file that became no chunk, by reason."""
    with warehouse.read() as connection:
        rows = connection.execute(
            """
            SELECT reason, sum(byte_end - byte_start)::BIGINT
            FROM (SELECT stream_id, reason, byte_start, byte_end FROM corpus.dropped WHERE char_start IS NULL)
            JOIN corpus.stream USING (stream_id) JOIN corpus.source_file USING (source_id)
            WHERE path LIKE '%/' || ? GROUP BY reason
            """,
            [name],
        ).fetchall()
    return dict(rows)


def n_chunks(warehouse: Warehouse, name: str) -> int:
    with warehouse.read() as connection:
        rows = connection.execute(
            """
            SELECT count(*) FROM corpus.chunk JOIN corpus.document USING (document_id)
            JOIN corpus.stream USING (stream_id) JOIN corpus.source_file USING (source_id)
            WHERE path LIKE '%/' || ?
            """,
            [name],
        ).fetchall()
    return int(rows[0][0])


def assert_everything_accounted(warehouse: Warehouse) -> None:
    """The two blocking checks on tiling."""
    from fakesmrt_assets.checks import inspect_documents

    found = inspect_documents(warehouse, BuildSettings())
    assert (found.n_violations, found.examples) == (0, [])
    with warehouse.read() as connection:
        assert connection.execute(query("check_streams_tiled")).fetchall()[0][1] == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good letter."""
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "good.txt").write_bytes(TEXT)
    return folder


def bomb(n_bytes: int) -> bytes:
    """Zeros, a thousand times smaller."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as file:
        for _ in range(n_bytes >> 20):
            file.write(bytes(1 << 20))
    return packed.getvalue()


@pytest.mark.usefixtures("here")
def test_each_bad_file_has_its_reason_and_the_good_ones_are_read(warehouse: Warehouse, folder: Path) -> None:
    packed = gzip.compress(os.urandom(9000).hex().encode() + TEXT)
    (folder / "truncated.txt.gz").write_bytes(packed[: len(packed) // 2])
    archive = zipped({"a.txt": TEXT, "b.txt": TEXT})
    (folder / "truncated.zip").write_bytes(archive[: len(archive) * 2 // 3])
    (folder / "nested.zip").write_bytes(zipped({"inner.zip": zipped({"deep.txt": TEXT, "rows.jsonl": ROWS})}))
    (folder / "lying.pdf").write_bytes(TEXT)
    (folder / "lying.gz").write_bytes(TEXT)
    (folder / "lying.jsonl").write_bytes(TEXT)
    (folder / "lying.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(500))
    (folder / "rows.jsonl").write_bytes(ROWS[:2000] + b'\n{"text": "never closed\n' + ROWS)
    (folder / "bomb.gz").write_bytes(bomb(200 << 20))
    (folder / "pictures.zip").write_bytes(
        zipped({f"{n}.png": b"\x89PNG\r\n\x1a\n" + bytes(99) for n in range(5)})
    )
    (folder / "nothing.zip").write_bytes(zipped({}))
    (folder / "blank.txt").write_bytes(b" \n\n")
    (folder / "empty.txt").touch()
    (folder / "gone.txt").symlink_to(folder / "nowhere.txt")
    (folder / "circle.txt").symlink_to(folder / "circle.txt")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.txt")
    (folder / os.fsdecode(b"caf\xe9.txt")).write_bytes(TEXT)
    reports = built(warehouse, folder)
    found = statuses(warehouse)
    assert {name for name, (status, _) in found.items() if status == "read"} == {
        "good.txt", "nested.zip", "lying.pdf", "lying.gz", "lying.jsonl", "caf\\xe9.txt",
    }  # fmt: skip
    assert found["truncated.txt.gz"][0] == "partial"
    assert "too early" in str(found["truncated.txt.gz"][1])
    assert found["truncated.zip"][0] == "partial"
    assert found["rows.jsonl"] == ("partial", "1 range dropped as invalid_json")
    assert "invalid_json" in dropped(warehouse, "rows.jsonl")
    assert found["lying.txt"][0] == "failed"
    assert "binary" in str(found["lying.txt"][1])
    assert found["bomb.gz"][0] == "failed"
    assert "200 times" in str(found["bomb.gz"][1])
    assert found["pictures.zip"][0] == "failed"
    assert "none of its 5 members holds text: it is binary" in str(found["pictures.zip"][1])
    assert found["nothing.zip"] == ("failed", "it is an archive without members")
    assert found["blank.txt"] == ("failed", "it holds only white space")
    assert found["empty.txt"][0] == "empty"
    for name in ("gone.txt", "circle.txt", "pipe.txt"):
        assert found[name][0] == "failed"
        assert "cannot be read" in str(found[name][1])
    assert "loop" not in found
    problems = "\n".join(reports["corpus/document"].problems)
    assert all(f"{name}: " in problems for name, (status, _) in found.items() if status != "read")
    assert n_chunks(warehouse, "nested.zip") > n_chunks(warehouse, "good.txt")
    assert_everything_accounted(warehouse)


@pytest.mark.usefixtures("here")
def test_endless_lines_and_huge_cells_are_cut_or_dropped(warehouse: Warehouse, folder: Path) -> None:
    n_bytes = LARGEST_RECORD_BYTES + 1_000_000
    with (folder / "line.txt").open("wb") as file:
        file.write(b"\xc3\xa9" * (n_bytes // 2))
    with (folder / "rows.jsonl").open("wb") as file:
        file.write(ROWS[:600] + b'\n{"text": "' + b"x" * n_bytes + b'"}\n' + ROWS)
    with (folder / "table.csv").open("wb") as file:
        file.write(b'id,text\n1,"A first story of a ship and of its captain."\n2,"')
        file.write(b"x" * n_bytes)
        file.write(b'"\n3,"A last story of a ship and of its captain."\n')
    built(warehouse, folder)
    found = statuses(warehouse)
    assert found["line.txt"] == ("read", None)
    assert n_chunks(warehouse, "line.txt") == math.ceil(n_bytes // 2 / 2000)
    assert found["rows.jsonl"][0] == "partial"
    assert dropped(warehouse, "rows.jsonl")["record_too_large"] > n_bytes
    assert n_chunks(warehouse, "rows.jsonl") >= 40
    assert found["table.csv"][0] == "partial"
    assert dropped(warehouse, "table.csv")["record_too_large"] > n_bytes
    assert n_chunks(warehouse, "table.csv") == 2
    assert_everything_accounted(warehouse)


@pytest.mark.usefixtures("here")
def test_a_file_that_may_not_be_read_is_retried(
    warehouse: Warehouse, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests may run as root, whom no permission stops: so the refusal is played."""
    (folder / "secret.txt").write_bytes(TEXT)
    with monkeypatch.context() as patched:
        plain_open = Path.open

        def refused(self: Path, *arguments: object, **options: object) -> object:
            if self.name == "secret.txt":
                raise PermissionError(13, "Permission denied", str(self))
            return plain_open(self, *arguments, **options)  # type: ignore[call-overload]  # handed through

        patched.setattr(Path, "open", refused)
        built(warehouse, folder)
    assert statuses(warehouse)["secret.txt"] == ("failed", "cannot be read: Permission denied")
    assert n_chunks(warehouse, "good.txt") > 0
    built(warehouse, folder)
    assert statuses(warehouse)["secret.txt"] == ("read", None)
    assert n_chunks(warehouse, "secret.txt") == n_chunks(warehouse, "good.txt")


CONTENT = (
    "SELECT path, status, error FROM corpus.source_file ORDER BY ALL",
    "SELECT * EXCLUDE (code_version) FROM corpus.stream ORDER BY ALL",
    "SELECT * FROM corpus.document ORDER BY ALL",
    "SELECT * EXCLUDE (text_file, text_row) FROM corpus.chunk ORDER BY ALL",
    "SELECT * FROM corpus.dropped ORDER BY ALL",
    "SELECT * FROM corpus.private_range ORDER BY ALL",
)


def test_the_rows_are_the_same_for_any_number_of_workers_and_any_order(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where files, archives and members are so large that many processes share them."""
    big = b"".join(
        b"%d. %sWrite to ann@harbour.example.\n" % (number, PROSE.encode()) for number in range(50)
    )
    (folder / "big.txt").write_bytes(big)
    (folder / "rows.jsonl").write_bytes(ROWS)
    members = {f"{number}.txt": TEXT + b"%d" % number for number in range(3)}
    (folder / "archive.zip").write_bytes(
        zipped({**members, "rows.jsonl": ROWS, "big.txt": big}, zipfile.ZIP_STORED)
    )
    for module in (document, chunk):
        monkeypatch.setattr(module, "LARGE_BYTES", 4096)
        monkeypatch.setattr(module, "LARGE_ARCHIVE_BYTES", 1000)
        monkeypatch.setattr(module, "MEMBERS_BYTES", 10_000)
    contents = []
    for workers in (0, 2):
        with monkeypatch.context() as patched:
            if not workers:
                patched.setattr(StageContext, "executor", lambda _: Here())
                patched.setattr(document, "read_rows", lambda *given: read_rows(*given)[::-1])
            warehouse = Warehouse(Home(tmp_path / f"{workers} workers"))
            warehouse.initialise("salt")
            built(warehouse, folder, workers or 1)
        assert_everything_accounted(warehouse)
        assert not list(warehouse.home.temporary.iterdir())
        with warehouse.read() as connection:
            contents.append([connection.execute(sql).fetchall() for sql in CONTENT])
    assert contents[0] == contents[1]
    assert len(contents[0][3]) > 50
    assert len(contents[0][5]) == 2 * 50


@pytest.mark.usefixtures("here")
def test_a_small_archive_that_unfolds_into_much_is_read_member_by_member(
    warehouse: Warehouse, folder: Path
) -> None:
    line = b"The same line of the same letter, again and again.\n"
    much = line * ((LARGE_BYTES + 1_000_000) // len(line))
    (folder / "much.zip").write_bytes(zipped({"a.txt": TEXT, "much.txt": much, "b.txt": TEXT}))
    assert (folder / "much.zip").stat().st_size < LARGE_ARCHIVE_BYTES
    built(warehouse, folder)
    assert statuses(warehouse)["much.zip"] == ("read", None)
    assert n_chunks(warehouse, "much.zip") > 2 * n_chunks(warehouse, "good.txt") + len(much) / 2000
    assert_everything_accounted(warehouse)


@pytest.mark.usefixtures("here")
def test_a_large_file_that_changes_while_it_is_cut_leaves_nothing(
    warehouse: Warehouse, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of its sections were committed before."""
    monkeypatch.setattr(chunk, "LARGE_BYTES", 4096)
    (folder / "big.txt").write_bytes(TEXT * 9)
    monkeypatch.setattr(Lane, "submit", changing_after(3, folder / "big.txt", Lane.submit))
    report = built(warehouse, folder)["corpus/chunk"]
    assert any("big.txt" in problem and "changed" in problem for problem in report.problems)
    assert (n_chunks(warehouse, "big.txt"), statuses(warehouse)["big.txt"][0]) == (0, "failed")
    assert n_chunks(warehouse, "good.txt") > 0
    assert_everything_accounted(warehouse)


def changing_after(n_tasks: int, path: Path, submit: Callable[..., None]) -> Callable[..., None]:
    """Changes a file when so many tasks with sections of it were handed out."""
    n_given = 0

    def submitting(lane: Lane, function: Callable[..., object], *given: object, **options: object) -> None:
        nonlocal n_given
        n_given += function is cut_batch
        if n_given == n_tasks:
            path.write_bytes(path.read_bytes()[::-1])
        submit(lane, function, *given, **options)

    return submitting


@pytest.mark.usefixtures("here")
def test_a_build_that_was_killed_among_sections_cuts_the_document_again(
    warehouse: Warehouse, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "big.txt").write_bytes(TEXT * 9)
    with monkeypatch.context() as patched:
        patched.setattr(chunk, "LARGE_BYTES", 4096)
        built(warehouse, folder)
        whole = n_chunks(warehouse, "big.txt")
        with warehouse.write("test") as connection:
            connection.execute("DELETE FROM corpus.chunk WHERE ordinal > 9")
            connection.execute("DELETE FROM meta.materialization WHERE asset = 'corpus/chunk'")
        report = built(warehouse, folder)["corpus/chunk"]
    assert report.counts["n_documents_cut"] == 1
    assert n_chunks(warehouse, "big.txt") == whole > 10
    assert_everything_accounted(warehouse)
