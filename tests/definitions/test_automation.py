"""What runs by itself: once for each state of the files, once a night, and never beside another run."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from fakesmrt_assets.automation import file_sensor, local_timezone, nightly_schedule
from fakesmrt_assets.jobs import ingest
from fakesmrt_assets.resources import HomeResource
from warehouse.corpora import Registration, register
from warehouse.database import Warehouse
from warehouse.home import Home
from warehouse.stages import source_file
from warehouse.stages.stage import StageContext


@pytest.fixture
def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()


@pytest.fixture
def stored_instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance on disk: schedules open theirs by reference."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


@pytest.fixture
def books(tmp_path: Path) -> Path:
    folder = tmp_path / "books"
    folder.mkdir()
    (folder / "alice.txt").write_text("Alice was beginning to get very tired of sitting by her sister.")
    return folder


@pytest.fixture
def warehouse(tmp_path: Path, books: Path) -> Warehouse:
    warehouse = Warehouse(Home(tmp_path / "home"))
    warehouse.initialise("salt")
    with warehouse.write("test") as connection:
        register(connection, Registration("books", [str(books)], "CC0-1.0"))
    return warehouse


def look(
    warehouse: Warehouse, instance: dg.DagsterInstance, cursor: str | None = None
) -> dg.SensorResult | dg.SkipReason:
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    result = file_sensor(context, home=HomeResource(root=str(warehouse.home.root)))
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def asked(result: dg.SensorResult | dg.SkipReason) -> str:
    """The cursor after a look that asked for one run."""
    assert isinstance(result, dg.SensorResult), result
    assert result.run_requests is not None
    assert len(result.run_requests) == 1
    assert result.cursor
    return result.cursor


def read_files(warehouse: Warehouse, age: int = 10) -> None:
    """Record the files as the ingest would, some seconds after they were written."""
    with pytest.MonkeyPatch.context() as patch:
        now = source_file.time.time_ns()
        patch.setattr(source_file.time, "time_ns", lambda: now + age * 1_000_000_000)
        source_file.run(StageContext(warehouse))


def add_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> str:
    run = dg.DagsterRun(job_name="ingest", status=status)
    return instance.add_run(run).run_id


def test_sensor_asks_for_new_files_once(warehouse: Warehouse, instance: dg.DagsterInstance) -> None:
    cursor = asked(look(warehouse, instance))
    assert isinstance(look(warehouse, instance, cursor), dg.SkipReason)


def test_sensor_is_silent_where_every_file_stands_as_recorded(
    warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    read_files(warehouse)
    assert isinstance(look(warehouse, instance), dg.SkipReason)


def test_sensor_notices_a_changed_a_vanished_and_another_new_file(
    warehouse: Warehouse, instance: dg.DagsterInstance, books: Path
) -> None:
    read_files(warehouse)
    (books / "alice.txt").write_text("Curiouser and curiouser!")
    changed = asked(look(warehouse, instance))
    (books / "alice.txt").unlink()
    vanished = asked(look(warehouse, instance, changed))
    (books / "emma.txt").write_text("Emma Woodhouse, handsome, clever, and rich.")
    added = asked(look(warehouse, instance, vanished))
    assert len({changed, vanished, added}) == 3


def test_sensor_waits_while_a_run_is_in_progress(warehouse: Warehouse, instance: dg.DagsterInstance) -> None:
    run_id = add_run(instance, dg.DagsterRunStatus.STARTED)
    result = look(warehouse, instance)
    assert isinstance(result, dg.SkipReason)
    assert run_id in str(result.skip_message)


def test_sensor_without_a_home_says_how_to_make_one(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    result = look(Warehouse(Home(tmp_path / "nowhere")), instance)
    assert isinstance(result, dg.SkipReason)
    assert "fakesmrt init" in str(result.skip_message)


def night(stored_instance: dg.DagsterInstance) -> object:
    return nightly_schedule(dg.build_schedule_context(instance=stored_instance))


def test_schedule_starts_one_run_a_night(stored_instance: dg.DagsterInstance) -> None:
    add_run(stored_instance, dg.DagsterRunStatus.SUCCESS)
    assert isinstance(night(stored_instance), dg.RunRequest)
    assert nightly_schedule.cron_schedule == "0 2 * * *"


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
def test_schedule_skips_while_a_run_is_in_progress(
    stored_instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    add_run(stored_instance, status)
    assert isinstance(night(stored_instance), dg.SkipReason)


def test_both_run_by_default_where_a_daemon_runs() -> None:
    assert nightly_schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert file_sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert file_sensor.job_name == ingest.name


def test_time_zone_is_read_from_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    assert local_timezone(link) == "Europe/Berlin"
    assert local_timezone(tmp_path / "absent") == "UTC"
