"""A build from the command line: one Dagster run in this process, which the UI shows like any other.

What lives here: starting the run and saying how it ended. What does not: what is built (``assets/``), how it looks
(``cli/``).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg
from dagster import DagsterEventType, DagsterExecutionInterruptedError
from sqlalchemy.exc import DBAPIError

from fakesmrt_assets.assets.stage_asset import INTERRUPTED
from fakesmrt_assets.definitions import build_definitions
from fakesmrt_assets.instance import fail_lost_runs, opened_instance, process_tags
from fakesmrt_assets.jobs import SELECTIONS, run_config
from fakesmrt_assets.listening import Listener
from fakesmrt_assets.resources import HomeResource
from warehouse.database import Warehouse
from warehouse.errors import FakesmrtError, InvalidConfiguration
from warehouse.forgetting.forget import finish_unfinished
from warehouse.home import Home
from warehouse.locks import build_lock
from warehouse.stages.stage import BuildSettings

EVERYTHING = "nightly"

DISK_FULL = (
    "The disk is full: Dagster cannot write its events. Free some space and build again; nothing is lost."
)
"""SQLite says it in a step's name, and not how it is mended."""


@dataclass(frozen=True)
class BuildOutcome:
    """How a build ended.

    Attributes:
        run_id: the Dagster run.
        failures: a line for each stage or blocking check that failed; empty for a good build.
    """

    run_id: str
    failures: tuple[str, ...]


def _failures(result: dg.ExecuteInProcessResult) -> tuple[str, ...]:
    lines = []
    for event in result.all_events:
        if event.event_type == DagsterEventType.STEP_FAILURE:
            data = event.step_failure_data
            failure = data.user_failure_data
            error = data.error.cause or data.error if data.error else None
            said = (failure.description if failure else None) or (error.message if error else "unknown")
            lines.append(DISK_FULL if "disk is full" in said and not failure else said)
        if event.event_type == DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR:
                lines.append(
                    f"Check {check.check_name} of {check.asset_key.to_user_string()} failed: "
                    f"{check.description or 'see its metadata in the UI'}"
                )
    return tuple(dict.fromkeys(line.strip() for line in lines))


def _interrupted(result: dg.ExecuteInProcessResult) -> bool:
    """Whether Ctrl-C ended a step: Dagster notes it as the step's failure."""
    failures = [
        event.step_failure_data
        for event in result.all_events
        if event.event_type == DagsterEventType.STEP_FAILURE
    ]
    return any(
        (failure.user_failure_data and failure.user_failure_data.description == INTERRUPTED)
        or (failure.error and failure.error.cls_name == DagsterExecutionInterruptedError.__name__)
        for failure in failures
    )


@contextmanager
def _event_log_explained(home: Home) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise FakesmrtError(
            f"Dagster cannot write its event log in {home.dagster}: {error.orig}",
            "Free some space there and build again; what was finished is kept",
        ) from error
    except DagsterExecutionInterruptedError as error:
        raise KeyboardInterrupt from error


def run_build(home: Home, settings: BuildSettings, target: str, listener: Listener) -> BuildOutcome:
    """Materialise what `target` names.

    Args:
        home: where.
        settings: what is asked for.
        target: a name of `fakesmrt_assets.jobs.SELECTIONS`.
        listener: hears of each stage.

    Raises:
        LockHeld: if another build works in this home.
        InvalidConfiguration: for an unknown target.
        FakesmrtError: if Dagster's event log cannot be written.
        KeyboardInterrupt: when interrupted; what was committed stays.
    """
    if target not in SELECTIONS:
        raise InvalidConfiguration(f"There is no build {target!r}", f"Choose one of: {', '.join(SELECTIONS)}")
    home.require()
    with build_lock(home.root), _event_log_explained(home), opened_instance(home) as instance:
        Warehouse(home).upgrade()
        # What a killed `fakesmrt forget` has left: no build may work beside text that is to be forgotten.
        finish_unfinished(Warehouse(home))
        fail_lost_runs(instance)
        definitions = build_definitions({"home": HomeResource(root=str(home.root)), "listener": listener})
        job = definitions.resolve_implicit_global_asset_job_def()
        selection = SELECTIONS[target].resolve(definitions.resolve_asset_graph())
        configuration = run_config(settings)
        configuration["loggers"] = {"console": {"config": {"log_level": "CRITICAL"}}}
        result = job.execute_in_process(
            run_config=configuration,
            instance=instance,
            asset_selection=sorted(selection),
            raise_on_error=False,
            run_id=str(uuid.uuid4()),
            tags={**process_tags(), "fakesmrt/build": target},
        )
    if _interrupted(result):
        raise KeyboardInterrupt
    failures = _failures(result)
    if not result.success and not failures:
        failures = (f"The run {result.run_id} failed; the UI shows why",)
    return BuildOutcome(result.run_id, failures)
