"""What runs by itself: the nightly build, and the reading of files that came, changed or vanished.

Both run by default wherever a daemon runs, and one runs only where ``fakesmrt ui`` started it. Neither
starts a run while another waits or works.

What lives here: when jobs run. What does not: what they do (``jobs.py``).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import dagster as dg

from fakesmrt_assets.instance import run_in_progress
from fakesmrt_assets.jobs import ingest, nightly
from fakesmrt_assets.resources import HomeResource
from warehouse.cleanser.streams import display_name
from warehouse.corpora import find_files, locations_of
from warehouse.database import Connection, query, read_rows
from warehouse.errors import FakesmrtError
from warehouse.identity import fingerprint
from warehouse.stages.source_file import KnownFile, stands_as_recorded

SECONDS_BETWEEN_LOOKS = 60


@dataclass(frozen=True)
class FileChange:
    """A file that does not stand as recorded.

    Attributes:
        corpus: its corpus.
        path: its path, printable.
        state: size and times now, or "vanished".
    """

    corpus: str
    path: str
    state: str


def _state(path: str) -> str:
    try:
        status = Path(path).stat()
    except OSError as error:
        return f"unreadable {error.errno}"
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def changed_files(connection: Connection) -> Iterator[FileChange]:
    """New, changed and vanished files of all corpora, by size and times alone: nothing is read."""
    records = {
        (row.corpus, row.path): row for row in read_rows(connection, query("known_files"), [], KnownFile)
    }
    present = set()
    for location in locations_of(connection, ()):
        for path in find_files(location.path):
            key = (location.corpus, display_name(path))
            present.add(key)
            record = records.get(key)
            if record is None or not stands_as_recorded(record, path, record.licence):
                yield FileChange(*key, _state(path))
    for key, record in records.items():
        if record.current and key not in present:
            yield FileChange(*key, "vanished")


def local_timezone(link: Path = Path("/etc/localtime")) -> str:
    """IANA name of this machine's time zone, UTC where it cannot be told."""
    name = os.environ.get("TZ") or str(link.resolve()).rpartition("zoneinfo/")[2]
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"
    return name


@dg.schedule(
    job=nightly,
    cron_schedule="0 2 * * *",
    execution_timezone=local_timezone(),
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Builds everything at two o'clock at night, local time.",
)
def nightly_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One run a night, unless one is still going on."""
    if busy := run_in_progress(context.instance):
        return dg.SkipReason(f"Run {busy} is still in progress.")
    return dg.RunRequest()


@dg.sensor(
    job=ingest,
    minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Has new, changed and vanished files of the corpora read; looks at sizes and times only.",
)
def file_sensor(context: dg.SensorEvaluationContext, home: HomeResource) -> dg.SensorResult | dg.SkipReason:
    """Ask for one ingest for each state of the files; the cursor is the state asked for last."""
    if busy := run_in_progress(context.instance):
        return dg.SkipReason(f"Run {busy} is still in progress.")
    try:
        with home.warehouse().read() as connection:
            changes = sorted(changed_files(connection), key=lambda change: (change.corpus, change.path))
    except FakesmrtError as error:
        return dg.SkipReason(str(error))
    if not changes:
        return dg.SkipReason("Every file stands as recorded.")
    state = fingerprint(*(part for change in changes for part in (change.corpus, change.path, change.state)))
    if state == context.cursor:
        return dg.SkipReason(f"{len(changes)} files differ as they did when they were read last.")
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=state)], cursor=state)


SCHEDULES = [nightly_schedule]
SENSORS = [file_sensor]
