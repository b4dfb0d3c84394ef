"""The command decode."""

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from fakesmrt_assets.cli.cleanser import decode
from fakesmrt_assets.cli.decoding import target_below
from tests.cleanser.packing import zipped

KEYS = [
    "path",
    "encoding",
    "confidence",
    "evidence",
    "runners_up",
    "language",
    "repair",
    "n_bytes",
    "n_characters",
    "n_dropped_bytes",
    "text_sha256",
    "flags",
]
GERMAN = "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Schöne Grüße!\n"


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(decode)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_one_json_object_a_line_with_stable_keys(tmp_path: Path) -> None:
    path = tmp_path / "german.txt"
    path.write_bytes((GERMAN + "schÃ¶n\r\n").encode() + b"\n\n")
    row = json.loads(run("--json", path).stdout)
    assert list(row) == KEYS
    clean = (GERMAN + "schön\n").encode()
    assert (row["encoding"], row["language"], row["n_dropped_bytes"]) == ("utf-8", "de", 2)
    assert row["text_sha256"] == hashlib.sha256(clean).hexdigest()
    assert row["n_characters"] == len(clean.decode())
    assert row["repair"] == {"fix_encoding": 1, "line_endings": 1, "n_replaced": 0}
    untouched = json.loads(run("--json", "--no-repair", path).stdout)
    assert untouched["repair"] == {"line_endings": 1, "n_replaced": 0}


def test_clean_texts_are_written_under_their_own_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("letters").mkdir()
    Path("letters/one.txt").write_bytes(GERMAN.encode("cp1252"))
    assert run("letters/one.txt", "--output", "clean").exit_code == 0
    assert Path("clean/letters/one.txt.txt").read_text("utf-8") == GERMAN


def test_no_name_leads_out_of_the_output_folder(tmp_path: Path) -> None:
    for name in ("/etc/passwd", "../../a", "a/../../b", "./c", ".."):
        assert target_below(Path(name), tmp_path).resolve().is_relative_to(tmp_path.resolve())
    assert target_below(Path("/etc/passwd"), tmp_path) == tmp_path / "etc" / "passwd.txt"


def test_two_files_never_share_an_output(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text(GERMAN)
    folder = Path(os.path.relpath(tmp_path))
    other = tmp_path / folder / "a"
    assert target_below(path, tmp_path) != target_below(other, tmp_path)


def test_what_cannot_be_read_does_not_stop_the_rest(tmp_path: Path) -> None:
    good, binary = tmp_path / "good.txt", tmp_path / "image.png"
    good.write_text(GERMAN, "utf-8")
    binary.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    result = run("--json", tmp_path / "missing.txt", good, binary, "--output", tmp_path / "clean")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "missing.txt cannot be read" in result.stderr
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert (first["encoding"], second["encoding"], second["text_sha256"]) == ("utf-8", None, None)
    assert second["n_dropped_bytes"] == second["n_bytes"]
    assert [path.name for path in (tmp_path / "clean").rglob("*") if path.is_file()] == ["good.txt.txt"]


def archive_of(folder: Path) -> Path:
    """A zip with a letter, a name that leads out of it, stories as JSON Lines, and an archive in it."""
    path = folder / "old.zip"
    inner = zipped({"deep.txt": GERMAN.encode("cp1252") * 9})
    stories = b"".join(b'{"text": "Story %d of the sea and its ships."}\n' % number for number in range(3))
    members = {"a.txt": GERMAN.encode(), "../../b.txt": GERMAN.encode(), "c/rows.jsonl": stories}
    path.write_bytes(zipped({**members, "inner.zip": inner}))
    return path


def test_members_of_archives_are_lines_and_files_of_their_own(tmp_path: Path) -> None:
    path = archive_of(tmp_path)
    result = run(path, "--json", "--output", tmp_path / "clean")
    assert result.exit_code == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [list(row) for row in rows] == [KEYS] * 4
    names = ["a.txt", "../../b.txt", "c/rows.jsonl", "inner.zip/deep.txt"]
    assert [row["path"] for row in rows] == [f"{path}/{name}" for name in names]
    below = (tmp_path / "clean").joinpath(*path.parts[1:])
    written = {str(file.relative_to(below)) for file in (tmp_path / "clean").rglob("*") if file.is_file()}
    assert written == {"a.txt.txt", "_parent/_parent/b.txt.txt", "c/rows.jsonl.txt", "inner.zip/deep.txt.txt"}
    for name, row in zip(("a.txt", "c/rows.jsonl", "inner.zip/deep.txt"), (rows[0], *rows[2:]), strict=True):
        assert hashlib.sha256((below / f"{name}.txt").read_bytes()).hexdigest() == row["text_sha256"]
    stories = (below / "c/rows.jsonl.txt").read_text()
    assert stories == "\n\n".join(f"Story {number} of the sea and its ships." for number in range(3))


def test_folders_are_searched_and_processes_change_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    (folder / "inside").mkdir(parents=True)
    for number in range(4):
        (folder / "inside" / f"{number}.txt").write_bytes(GERMAN.encode("cp1252") * (number + 1))
    (folder / ".hidden").write_text(GERMAN)
    (folder / "loop").symlink_to(folder)
    alone = run(folder, archive_of(tmp_path), "--json", "--jobs", "1")
    shared = run(folder, archive_of(tmp_path), "--json", "--jobs", "2")
    assert (alone.exit_code, shared.exit_code) == (0, 0)
    assert alone.stdout == shared.stdout
    assert len(alone.stdout.splitlines()) == 8


def test_a_damaged_archive_gives_what_it_holds_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.txt.gz"
    packed = gzip.compress(GERMAN.encode() * 500 + os.urandom(300).hex().encode())
    path.write_bytes(packed[:-200])
    result = run(path, "--json")
    assert result.exit_code == 1
    assert "cut.txt.gz: gzip ends too early after" in result.stderr
    row = json.loads(result.stdout)
    assert row["flags"] == ["damaged"]
    assert row["n_characters"] > 500 * len(GERMAN)


def test_private_data_is_masked_where_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Write to ann@harbour.example and to nobody else.\n")
    assert run(path, "--mask", "email,phone", "--output", tmp_path / "clean").exit_code == 0
    (written,) = (tmp_path / "clean").rglob("letter.txt.txt")
    assert "ann@harbour.example" not in written.read_text()
    assert written.read_text().startswith("Write to ")


@pytest.mark.parametrize("arguments", [[], ["--mask", "names", "x"], ["--jobs", "0", "x"]])
def test_wrong_usage_has_status_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_an_interruption_leaves_whole_texts_only(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}.txt").write_text("".join(f"{line}. {GERMAN}" for line in range(300_000)))
    clean = tmp_path / "clean"
    command = [sys.executable, "-m", "fakesmrt_assets.cli.main", "decode", "0.txt", "1.txt"]
    with subprocess.Popen(
        [*command, "--output", str(clean), "--jobs", "2"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as decoding:
        deadline = time.monotonic() + 60
        while not list(clean.glob(".fakesmrt-*/*.text")) and time.monotonic() < deadline:
            time.sleep(0.05)
        decoding.send_signal(signal.SIGINT)
        _, said = decoding.communicate(timeout=60)
    assert decoding.returncode == 130
    assert said.startswith("fakesmrt: interrupted.")
    assert "Traceback" not in said
    assert not [path for path in clean.rglob("*") if path.is_file()]


def test_people_get_a_table(tmp_path: Path) -> None:
    path = tmp_path / "a[red].txt"
    path.write_text(GERMAN, "utf-8")
    result = run(path)
    assert result.exit_code == 0
    assert "utf-8" in result.stdout
    assert "[red]" in result.stdout.replace("\n", "").replace("│", "").replace(" ", "")
