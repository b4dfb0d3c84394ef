"""Dagster's storage on a real PostgreSQL, and the launchers of runs on other machines."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from fakesmrt_assets.building import run_build
from fakesmrt_assets.instance import (
    PROCESS_TAG,
    InstanceLayout,
    Launcher,
    Storage,
    fail_lost_runs,
    install_instance,
    opened_instance,
)
from fakesmrt_assets.listening import EventLogListener
from warehouse.corpora import Registration, register
from warehouse.database import Warehouse
from warehouse.errors import InvalidConfiguration
from warehouse.home import Home
from warehouse.stages.stage import BuildSettings

POSTGRES = InstanceLayout(Storage.POSTGRES)
KUBERNETES = InstanceLayout(Storage.POSTGRES, Launcher.KUBERNETES)
CELERY = InstanceLayout(Storage.POSTGRES, Launcher.CELERY)


def postgres_program(name: str) -> str:
    """Path of a program of PostgreSQL, which Debian keeps out of PATH; skips the test where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    program = str(found[-1]) if found else shutil.which(name)
    if program is None:
        pytest.skip("PostgreSQL is not installed")
    return program


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def variables(port: int) -> dict[str, str]:
    """What the settings ask of a server on loopback that trusts everybody."""
    return {
        "FAKESMRT_POSTGRES_HOST": "127.0.0.1",
        "FAKESMRT_POSTGRES_PORT": str(port),
        "FAKESMRT_POSTGRES_USER": "fakesmrt",
        "FAKESMRT_POSTGRES_PASSWORD": "unused",
        "FAKESMRT_POSTGRES_DATABASE": "postgres",
    }


def set_all(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def postgres() -> Iterator[dict[str, str]]:
    """The variables that name a PostgreSQL server on loopback, which runs for this module alone."""
    initdb, pg_ctl = postgres_program("initdb"), postgres_program("pg_ctl")
    folder = Path(tempfile.mkdtemp())
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    shutil.chown(folder, user)
    data, port = folder / "data", free_port()
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"

    def run(*command: str) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(command, check=True, user=user if os.geteuid() == 0 else None, cwd=folder, **quiet)

    run(initdb, "--pgdata", str(data), "--username", "fakesmrt", "--auth", "trust", "--no-sync")
    run(pg_ctl, "--pgdata", str(data), "--wait", "--log", str(folder / "log"), "--options", options, "start")
    try:
        yield variables(port)
    finally:
        run(pg_ctl, "--pgdata", str(data), "--mode", "immediate", "stop")
        shutil.rmtree(folder)


def test_a_build_keeps_its_events_in_postgresql(
    warehouse: Warehouse, postgres: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg2

    letters = tmp_path / "letters"
    letters.mkdir()
    for number in range(3):
        (letters / f"{number}.txt").write_text(
            f"The {number}th letter came on a grey morning in the spring.\n" * 9
        )
    with warehouse.write("test") as connection:
        register(connection, Registration("letters", [str(letters)], "CC0-1.0"))
    set_all(monkeypatch, postgres)
    install_instance(warehouse.home, POSTGRES)
    outcome = run_build(warehouse.home, BuildSettings(workers=1), "corpus", EventLogListener())
    port = int(postgres["FAKESMRT_POSTGRES_PORT"])
    with (
        psycopg2.connect(host="127.0.0.1", port=port, user="fakesmrt", dbname="postgres") as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT count(*) FROM event_logs WHERE run_id = %s", [outcome.run_id])
        assert cursor.fetchall()[0][0] > 50
    assert not list(warehouse.home.dagster.rglob("*.db"))


def test_a_storage_that_does_not_answer_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, variables(free_port()))
    install_instance(home, POSTGRES)
    with (
        pytest.raises(InvalidConfiguration, match=r"storage does not answer.*refused"),
        opened_instance(home),
    ):
        pass


def test_a_variable_that_is_not_set_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAKESMRT_POSTGRES_HOST", raising=False)
    install_instance(home, POSTGRES)
    with pytest.raises(InvalidConfiguration, match="FAKESMRT_POSTGRES_HOST"), opened_instance(home):
        pass


def test_kubernetes_gets_a_job_for_each_run(
    home: Home, postgres: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster checks every field of the settings; only the certificate of a cluster is left out here."""
    from dagster_k8s import K8sRunLauncher

    monkeypatch.setattr("kubernetes.config.load_incluster_config", lambda: None)
    set_all(monkeypatch, postgres)
    monkeypatch.setenv("FAKESMRT_KUBERNETES_NAMESPACE", "models")
    monkeypatch.setenv("FAKESMRT_IMAGE", "registry.example/fakesmrt:0.1.0")
    install_instance(home, KUBERNETES)
    with opened_instance(home) as instance:
        launcher = instance.run_launcher
        assert isinstance(launcher, K8sRunLauncher)
        context = launcher.get_container_context_for_run(
            dg.DagsterRun(job_name="nightly", job_code_origin=None)
        )
        assert context.namespace == "models"
        volumes = context.run_k8s_config.pod_spec_config["volumes"]
        assert [volume["name"] for volume in volumes] == ["home"]


def test_kubernetes_outside_a_cluster_is_one_line(
    home: Home, postgres: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, postgres)
    monkeypatch.setenv("FAKESMRT_KUBERNETES_NAMESPACE", "models")
    monkeypatch.setenv("FAKESMRT_IMAGE", "registry.example/fakesmrt:0.1.0")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    install_instance(home, KUBERNETES)
    refused = pytest.raises(InvalidConfiguration, match=r"cannot be used: Service host.*dagster\.yaml")
    with refused, opened_instance(home):
        pass


def test_celery_gets_a_task_for_each_run(
    home: Home, postgres: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster_celery.launcher import CeleryRunLauncher

    set_all(monkeypatch, postgres)
    monkeypatch.setenv("FAKESMRT_CELERY_BROKER", "redis://127.0.0.1:6379/0")
    install_instance(home, CELERY)
    with opened_instance(home) as instance:
        assert isinstance(instance.run_launcher, CeleryRunLauncher)
        assert instance.run_launcher.broker == "redis://127.0.0.1:6379/0"
        # It works elsewhere, so a UI that starts here does not know that it is gone.
        run = dg.DagsterRun(job_name="nightly", status=dg.DagsterRunStatus.STARTED)
        instance.add_run(run)
        assert fail_lost_runs(instance, untagged_are_lost=True) == []


def test_a_process_of_another_machine_is_not_taken_for_dead() -> None:
    instance = dg.DagsterInstance.ephemeral()
    tags = {PROCESS_TAG: "4194305:1@another-machine"}
    instance.add_run(dg.DagsterRun(job_name="nightly", status=dg.DagsterRunStatus.STARTED, tags=tags))
    assert fail_lost_runs(instance) == []


def test_shipped_settings_are_exchanged_and_the_users_own_are_kept(home: Home) -> None:
    path = install_instance(home)
    assert b"postgres" not in path.read_bytes()
    install_instance(home, CELERY)
    assert b"CeleryRunLauncher" in path.read_bytes()
    install_instance(home)
    assert b"CeleryRunLauncher" in path.read_bytes()
    path.write_text("telemetry: {enabled: false}\n")
    with pytest.raises(InvalidConfiguration, match="settings of your own"):
        install_instance(home, POSTGRES)


def test_runs_elsewhere_need_a_storage_that_is_reached_from_there() -> None:
    with pytest.raises(InvalidConfiguration, match="--storage postgres"):
        InstanceLayout(launcher=Launcher.CELERY)
