"""``fakesmrt store``: where the files lie, and what keeps them from moving."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from fakesmrt_assets.cli import home as home_commands
from fakesmrt_assets.cli import main as command_line
from fakesmrt_assets.cli import store as store_command
from fakesmrt_assets.cli.home import make_home
from warehouse import files
from warehouse.home import Home
from warehouse.object_store import SETTINGS_FILE

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setattr(
        command_line, "COMMANDS", {"store": store_command.__name__, "init": home_commands.__name__}
    )

    def run_command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["fakesmrt", *arguments])
        status = command_line.run()
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run_command


def test_it_shows_where_the_files_are(home: Home, run: Run, bucket: str, s3: str) -> None:
    files.write_bytes_whole(home.text / "a.parquet", b"text")
    assert run("store")[1].startswith(f"The files lie at {home.root}\ntext            1 files")
    url = f"s3://{bucket}/home"
    assert run("store", url, "--option", f"endpoint_url={s3}")[0] == 0
    status, shown, _ = run("store", "--json")
    told = json.loads(shown)
    assert (status, told["url"], told["rooms"]["text"]) == (0, url, {"n_files": 1, "n_bytes": 4})
    assert run("store", "--local")[0] == 0
    assert json.loads(run("store", "--json")[1])["url"] is None
    assert (home.text / "a.parquet").read_bytes() == b"text"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bucket/home"], "no URL"),
        (["s3://no-such-bucket/home", "--option", "endpoint_url=S3"], "Make the bucket"),
        (["s3://bucket/home", "--option", "secret=word"], "everyone who copies it"),
        (["s3://bucket/home", "--option", "colour"], "NAME=VALUE"),
    ],
)
def test_what_cannot_be_a_store_is_one_line(
    home: Home, run: Run, s3: str, arguments: list[str], said: str
) -> None:
    status, _, error = run("store", *(argument.replace("S3", s3) for argument in arguments))
    assert (status, error.count("\n")) == (1, 1)
    assert said in error
    assert not (home.root / SETTINGS_FILE).exists()


def test_another_store_is_refused(home: Home, run: Run, bucket: str, s3: str) -> None:
    assert run("store", f"s3://{bucket}/one", "--option", f"endpoint_url={s3}")[0] == 0
    status, _, error = run("store", f"s3://{bucket}/two")
    assert status == 1
    assert "fakesmrt store --local" in error


def test_a_new_home_begins_where_the_variable_says(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    new = Home(home.root.parent / "new")
    monkeypatch.setenv("FAKESMRT_STORE", f"file://{home.root.parent}/shared")
    make_home(new)
    make_home(home)
    assert (new.root / SETTINGS_FILE).exists()
    assert not (home.root / SETTINGS_FILE).exists()
