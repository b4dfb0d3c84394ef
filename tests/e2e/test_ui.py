"""The real web server and daemon on a small home: all is materialised through GraphQL, as the UI does it."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import matplotlib.image
import pytest

from fakesmrt_assets.jobs import run_config
from warehouse.stages.stage import ASSETS, BuildSettings

pytestmark = pytest.mark.e2e

LOCATION = "fakesmrt_assets.definitions"
SETTINGS = BuildSettings(steps=2, workers=1)
TIMEOUT_SECONDS = 240.0
Found = TypeVar("Found")

REPOSITORIES = """
query { repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }
"""
LAUNCH = """
mutation ($parameters: ExecutionParams!) {
  launchPipelineExecution(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message }
  }
}
"""
RUNS = """
query { runsOrError { ... on Runs { results { jobName status } } } }
"""
RUN = """
query ($runId: ID!) {
  runOrError(runId: $runId) { ... on Run { status stats { ... on RunStatsSnapshot { stepsFailed } } } }
}
"""
FAILURES = """
query ($runId: ID!) {
  logsForRun(runId: $runId, limit: 1000) {
    ... on EventConnection { events { ... on ExecutionStepFailureEvent { stepKey error { message } } } }
  }
}
"""
RESULTS = """
query {
  assetNodes {
    assetKey { path }
    assetMaterializations(limit: 1) { runId }
    assetChecksOrError {
      ... on AssetChecks { checks { name executionForLatestMaterialization { status } } }
    }
  }
}
"""
AUTOMATION = """
query ($selector: RepositorySelector!) {
  sensorsOrError(repositorySelector: $selector) { ... on Sensors { results { name sensorState { status } } } }
  schedulesOrError(repositorySelector: $selector) {
    ... on Schedules { results { name scheduleState { status } } }
  }
}
"""


def until(look: Callable[[], Found | None], what: str, timeout: float = TIMEOUT_SECONDS) -> Found:
    """Look again and again until there is something to see."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.5)
    raise TimeoutError(what)


class Ui:
    """A running ``fakesmrt ui`` and its GraphQL."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            body = json.dumps({"query": query, "variables": variables})
            connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
            answer: dict[str, Any] = json.load(connection.getresponse())
        finally:
            connection.close()
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def repository(self) -> str | None:
        """Name of the repository once the code location is loaded."""
        found = self.ask(REPOSITORIES)["repositoriesOrError"].get("nodes", [])
        return next((str(node["name"]) for node in found if node["location"]["name"] == LOCATION), None)

    def selector(self) -> dict[str, str]:
        repository = until(self.repository, "the code location loads")
        return {"repositoryName": repository, "repositoryLocationName": LOCATION}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "fakesmrt_assets.cli.main", *arguments]


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "FAKESMRT_HOME": str(home)}


@dataclass(frozen=True)
class Process:
    """A living process."""

    pid: int
    parent: int
    group: int
    command: str


def processes() -> list[Process]:
    """Every process that is not a zombie."""
    ps = shutil.which("ps")
    assert ps is not None
    columns = "pid=,ppid=,pgid=,stat=,args="
    table = subprocess.run([ps, "-eo", columns], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 4) for line in table.splitlines()]
    return [Process(int(row[0]), int(row[1]), int(row[2]), row[4]) for row in rows if row[3][0] != "Z"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, small_corpus: Path) -> Path:
    home = tmp_path_factory.mktemp("home")
    for arguments in (["init", "--empty"], ["add", "topics", str(small_corpus), "--licence", "PSF-2.0"]):
        subprocess.run(
            command(*arguments), env=environment(home), check=True, capture_output=True, timeout=60
        )
    return home


@contextmanager
def running_ui(home: Path, stop_by: signal.Signals) -> Iterator[Ui]:
    """A UI on a free port; after the block it was stopped by a signal and has left no process behind."""
    port = free_port()
    process = subprocess.Popen(
        command("ui", "--port", str(port)), env=environment(home), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        try:
            assert f"http://127.0.0.1:{port}" in process.stdout.readline()
            [group] = {row.group for row in processes() if row.parent == process.pid}
            yield Ui(process, port)
        finally:
            process.send_signal(stop_by)
            status = process.wait(timeout=60)
    assert status == 0
    assert [row for row in processes() if row.group == group] == []


@pytest.fixture(scope="module")
def ui(home: Path) -> Iterator[Ui]:
    with running_ui(home, signal.SIGTERM) as running:
        yield running


@pytest.fixture(scope="module")
def ingested(ui: Ui) -> None:
    """The sensor has seen the new files of the fresh home and its run has ended, so nothing else is going on."""

    def ended() -> bool | None:
        runs = ui.ask(RUNS)["runsOrError"]["results"]
        return any(run["jobName"] == "ingest" and run["status"] == "SUCCESS" for run in runs) or None

    until(ended, "the sensor's run ends")


@pytest.fixture(scope="module")
def finished_run(ui: Ui, ingested: None) -> str:
    """Id of a run of all assets that has ended."""
    selection = [{"path": key.split("/")} for key in ASSETS]
    parameters = {
        "selector": {**ui.selector(), "pipelineName": "__ASSET_JOB", "assetSelection": selection},
        "runConfigData": run_config(SETTINGS),
        "mode": "default",
    }
    launched = ui.ask(LAUNCH, parameters=parameters)["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = str(launched["run"]["runId"])

    def ended() -> str | None:
        status = str(ui.ask(RUN, runId=run_id)["runOrError"]["status"])
        return status if status in {"SUCCESS", "FAILURE", "CANCELED"} else None

    status = until(ended, "the run ends")
    failures = [event for event in ui.ask(FAILURES, runId=run_id)["logsForRun"]["events"] if event]
    assert status == "SUCCESS", failures
    return run_id


def test_materialize_all_is_one_run_in_which_every_check_passes(ui: Ui, finished_run: str) -> None:
    nodes = ui.ask(RESULTS)["assetNodes"]
    made = {"/".join(node["assetKey"]["path"]): node["assetMaterializations"][0]["runId"] for node in nodes}
    assert made == dict.fromkeys(ASSETS, finished_run)
    verdicts = {
        check["name"]: check["executionForLatestMaterialization"]["status"]
        for node in nodes
        for check in node["assetChecksOrError"].get("checks", [])
    }
    assert len(verdicts) == 13
    assert set(verdicts.values()) == {"SUCCEEDED"}, verdicts


def test_schedule_and_sensor_are_on(ui: Ui) -> None:
    state = ui.ask(AUTOMATION, selector=ui.selector())
    assert {s["name"]: s["sensorState"]["status"] for s in state["sensorsOrError"]["results"]} == {
        "file_sensor": "RUNNING"
    }
    assert {s["name"]: s["scheduleState"]["status"] for s in state["schedulesOrError"]["results"]} == {
        "nightly_schedule": "RUNNING"
    }


def photograph(chromium: str, url: str, picture: Path, profile: Path) -> None:
    """A picture of a page, taken by headless Chromium."""
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={profile}", "--window-size=1800,1000", "--virtual-time-budget=20000",
    ]  # fmt: skip
    subprocess.run(
        [chromium, *flags, f"--screenshot={picture}", url], check=True, capture_output=True, timeout=120
    )


def test_asset_graph_can_be_looked_at(ui: Ui, finished_run: str, tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no Chromium to take a picture with")
    picture = tmp_path / "asset_graph.png"
    groups = ",".join(f"global@global:{name}" for name in ("corpus", "tokens", "models", "reports"))
    photograph(chromium, f"{ui.url}/asset-groups?expanded={groups}", picture, tmp_path / "profile")
    pixels = matplotlib.image.imread(picture)
    assert pixels.shape[:2] == (1000, 1800)
    # The UI frames what was materialised in green, and shows nothing else in that colour.
    green = (pixels[..., 1] > pixels[..., 0] + 0.3) & (pixels[..., 1] > pixels[..., 2] + 0.1)
    assert green.sum() > 500


def refusal(home: Path, port: int) -> str:
    """The one line by which a UI says that it cannot start."""
    done = subprocess.run(
        command("ui", "--port", str(port)),
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_second_ui_of_the_same_home_is_refused(ui: Ui, home: Path) -> None:
    assert str(ui.process.pid) in refusal(home, free_port())


def test_a_taken_port_is_named_and_the_next_start_works(tmp_path: Path) -> None:
    subprocess.run(
        command("init", "--empty"), env=environment(tmp_path), check=True, capture_output=True, timeout=60
    )
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"Port {port}" in refusal(tmp_path, port)
    with running_ui(tmp_path, signal.SIGINT) as ui:
        assert ui.selector()
