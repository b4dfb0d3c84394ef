"""``fakesmrt serve``: what it refuses, and a stream over a server that is killed."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fakesmrt_assets.cli import main as command_line
from fakesmrt_assets.cli import serve
from tests.serving.conftest import fill
from warehouse.database import Warehouse
from warehouse.home import Home
from warehouse.serving.client import Client
from warehouse.serving.requests import TokenRequest
from warehouse.serving.source import Source

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setattr(
        command_line, "COMMANDS", {"serve": serve.__name__, "doctor": "fakesmrt_assets.cli.home"}
    )

    def run_command(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["fakesmrt", "serve", *arguments])
        status = command_line.run()
        return status, capsys.readouterr().err

    return run_command


@pytest.mark.parametrize(
    "arguments",
    [
        ["--host", "192.0.2.1", "--make-certificate", "--no-token"],
        ["--host", "example.org", "--no-token"],
        ["--host", "192.0.2.1"],
    ],
)
def test_beyond_this_machine_nothing_is_served_in_the_open(run: Run, arguments: list[str]) -> None:
    status, said = run(*arguments)
    assert (status, said.count("\n")) == (1, 1)
    assert "--insecure" in said


def test_a_token_file_that_others_may_read_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("a secret for everybody\n")
    path.chmod(0o644)
    status, said = run("--token-file", str(path))
    assert (status, said.count("\n")) == (1, 1)
    assert "chmod 600" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-token", "--token-file", "x"],
        ["--key", "x"],
        ["--name", "data.example.org"],
        ["--make-certificate", "--certificate", "x", "--key", "y"],
    ],
)
def test_wrong_usage_has_status_2(run: Run, arguments: list[str]) -> None:
    assert run(*arguments)[0] == 2


def test_nothing_published_and_missing_files_are_one_line(run: Run) -> None:
    for arguments in ([], ["--certificate", "/no/such", "--key", "/no/such"], ["--token-file", "/no/such"]):
        status, said = run(*arguments)
        assert (status, said.count("\n")) == (1, 1)


@pytest.fixture
def serve_home(home: Home) -> Iterator[Callable[[int], tuple[subprocess.Popen[str], str]]]:
    """Start the command in a process of its own; gives the process and its location."""
    fill(Warehouse(home))
    started: list[subprocess.Popen[str]] = []

    def start(port: int) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "fakesmrt_assets.cli.main", "serve", "--json", "--port", str(port)]
        environment = {**os.environ, "FAKESMRT_HOME": str(home.root)}
        started.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout is not None
        return started[-1], json.loads(started[-1].stdout.readline())["location"]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.e2e
def test_a_stream_survives_the_kill_of_its_server(
    home: Home, serve_home: Callable[[int], tuple[subprocess.Popen[str], str]]
) -> None:
    request = TokenRequest(sequence_length=16, batch_sequences=4, seed=3)
    process, location = serve_home(0)
    stream = Client.of_home(home.root, location).tokens(request)
    before = list(itertools.islice(stream, 7))
    process.kill()
    process.wait()
    process, _ = serve_home(int(location.rpartition(":")[2]))
    # A second client goes on from a token that the first one wrote down before it was killed.
    second = Client.of_home(home.root, location).tokens(request, before[3].resume)
    expected = [batch.resume for batch in itertools.islice(Source(Warehouse(home)).tokens(request), 707)]
    assert [batch.resume for batch in [*before, *itertools.islice(stream, 700)]] == expected
    assert [batch.resume for batch in itertools.islice(second, 700)] == expected[4:704]
    # Both streams are still open.
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


@pytest.mark.e2e
def test_a_port_that_is_taken_is_one_line(home: Home) -> None:
    fill(Warehouse(home))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [
            sys.executable,
            "-m",
            "fakesmrt_assets.cli.main",
            "serve",
            "--port",
            str(taken.getsockname()[1]),
        ]
        done = subprocess.run(
            command,
            env={**os.environ, "FAKESMRT_HOME": str(home.root)},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Try: fakesmrt serve --port" in done.stderr
