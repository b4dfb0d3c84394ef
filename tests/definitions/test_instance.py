"""Runs whose process is gone are closed, living ones are left alone."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import yaml

from fakesmrt_assets.instance import (
    PROCESS_TAG,
    fail_lost_runs,
    install_instance,
    process_name,
    process_tags,
    run_in_progress,
)
from warehouse.home import Home


def add_started_run(instance: dg.DagsterInstance, tags: dict[str, str]) -> str:
    return instance.add_run(
        dg.DagsterRun(job_name="nightly", status=dg.DagsterRunStatus.STARTED, tags=tags)
    ).run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def dead_process() -> str:
    """The name of a process that is over."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        name = process_name(child.pid)
    assert name is not None
    return name


def test_a_build_whose_process_died_is_closed() -> None:
    instance = dg.DagsterInstance.ephemeral()
    lost = add_started_run(instance, {PROCESS_TAG: dead_process()})
    alive = add_started_run(instance, process_tags())
    assert fail_lost_runs(instance) == [lost]
    assert status_of(instance, lost) is dg.DagsterRunStatus.FAILURE
    assert run_in_progress(instance) == alive


def test_a_later_process_with_the_same_number_is_another_one() -> None:
    instance = dg.DagsterInstance.ephemeral()
    lost = add_started_run(instance, {PROCESS_TAG: f"{os.getpid()}:1"})
    assert fail_lost_runs(instance) == [lost]


def test_untagged_runs_are_lost_only_before_a_ui_starts() -> None:
    instance = dg.DagsterInstance.ephemeral()
    untagged = add_started_run(instance, {})
    assert fail_lost_runs(instance) == []
    assert run_in_progress(instance) == untagged
    assert fail_lost_runs(instance, untagged_are_lost=True) == [untagged]
    assert run_in_progress(instance) is None


def test_instance_settings_are_installed_once_and_then_the_users_own(tmp_path: Path) -> None:
    home = Home(tmp_path)
    path = install_instance(home)
    settings = yaml.safe_load(path.read_text())
    assert settings["telemetry"] == {"enabled": False}
    assert settings["concurrency"]["runs"] == {"max_concurrent_runs": 1}
    path.write_text("telemetry: {enabled: false}\n")
    assert install_instance(home).read_text() == "telemetry: {enabled: false}\n"


def test_dagster_accepts_the_settings(tmp_path: Path) -> None:
    install_instance(Home(tmp_path))
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance:
        assert not instance.telemetry_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
        assert not instance.run_retries_max_retries
