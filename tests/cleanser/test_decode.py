"""The command decode."""

import hashlib
import json
import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from fakesmrt_assets.cli.cleanser import decode
from fakesmrt_assets.cli.decoding import target_below

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


def test_people_get_a_table(tmp_path: Path) -> None:
    path = tmp_path / "a[red].txt"
    path.write_text(GERMAN, "utf-8")
    result = run(path)
    assert result.exit_code == 0
    assert "utf-8" in result.stdout
    assert "[red]" in result.stdout.replace("\n", "").replace("│", "").replace(" ", "")
