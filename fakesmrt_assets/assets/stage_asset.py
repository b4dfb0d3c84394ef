"""How a stage becomes an asset: the one place where Dagster meets the stages.

What lives here: the decorator that gives every asset its key, group, owner, pool and code version, and runs
the stage under the build lock. What does not: what any stage does.
"""

import inspect
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg

from fakesmrt_assets import presentation
from fakesmrt_assets.resources import BuildResource, HomeResource
from warehouse.errors import FakesmrtError, TrainingFailed
from warehouse.locks import build_lock
from warehouse.progress import Progress
from warehouse.stages.stage import Stage, StageContext, code_version

OWNER = "team:fakesmrt"
BUILD_POOL = "build"
"""One pool for all: the stages of two runs would wait for the build lock anyway."""

SECONDS_BETWEEN_LOGS = 30.0
"""Dagster's SQLite event log takes about 46 lines a second, and nobody reads more often."""


def asset_key(key: str) -> dg.AssetKey:
    """``corpus/chunk`` as an asset key: schema and table."""
    return dg.AssetKey(key.split("/"))


def logged_progress(
    log: Callable[[str], object],
    clock: Callable[[], float] = time.monotonic,
    every: float = SECONDS_BETWEEN_LOGS,
) -> Progress:
    """A progress callback that writes a line to `log` at most every `every` seconds, none in the first."""
    last = clock()

    def progress(done: float, total: float, note: str) -> None:
        nonlocal last
        if clock() - last >= every:
            last = clock()
            share = f"{done / total:.0%}" if total else f"{done:,.0f}"
            log(f"{share} {note}".rstrip())

    return progress


@contextmanager
def explained_failures() -> Iterator[None]:
    """Show a known failure as its cause and remedy; only lost training is worth a second try."""
    try:
        yield
    except FakesmrtError as error:
        raise dg.Failure(description=str(error), allow_retries=isinstance(error, TrainingFailed)) from error


def stage_asset(
    key: str,
    *,
    after: Sequence[str] = (),
    kinds: set[str],
    code: Sequence[str],
    retry_policy: dg.RetryPolicy | None = None,
) -> Callable[[Stage], dg.AssetsDefinition]:
    """Make an asset of a stage; the stage's docstring says what one row is and why it exists.

    Args:
        key: schema and table, ``corpus/chunk``; the schema is the group.
        after: keys of the assets that it is made from.
        kinds: at most three technologies, for the icons.
        code: modules and packages whose source decides the result.
        retry_policy: for stages that may fail by accident.
    """

    def decorate(stage: Stage) -> dg.AssetsDefinition:
        def materialise(
            context: dg.AssetExecutionContext, home: HomeResource, build: BuildResource
        ) -> dg.MaterializeResult[Any]:
            with explained_failures():
                warehouse = home.warehouse()
                stage_context = StageContext(
                    warehouse=warehouse,
                    settings=build.settings(),
                    progress=logged_progress(context.log.info),
                    run_id=context.run_id,
                )
                with build_lock(warehouse.home.root):
                    report = stage(stage_context)
                return dg.MaterializeResult(
                    metadata=presentation.stage_metadata(stage_context, report),
                    data_version=dg.DataVersion(report.data_version),
                )

        return dg.asset(
            key=asset_key(key),
            deps=[asset_key(upstream) for upstream in after],
            group_name=key.partition("/")[0],
            description=inspect.getdoc(stage),
            kinds=kinds,
            owners=[OWNER],
            code_version=code_version(*code),
            pool=BUILD_POOL,
            retry_policy=retry_policy,
        )(materialise)

    return decorate
