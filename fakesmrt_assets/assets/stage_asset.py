"""How a stage becomes an asset: the one place where Dagster meets the stages.

What lives here: the decorator that gives every asset its key, group, owner, pool and code version, and runs
the stage under the build lock. What does not: what any stage does.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from typing import Any

import dagster as dg

from fakesmrt_assets import presentation
from fakesmrt_assets.listening import Listener
from fakesmrt_assets.resources import BuildResource, HomeResource
from warehouse.code_versions import code_version
from warehouse.errors import FakesmrtError, TrainingFailed, explained
from warehouse.forgetting.forget import finish_unfinished
from warehouse.locks import build_lock
from warehouse.stages.stage import Stage, StageContext

OWNER = "team:fakesmrt"
INTERRUPTED = "Interrupted. What was finished is kept; the next build goes on."
LOGGED_PROBLEMS = 20
"""The database holds them all."""

BUILD_POOL = "build"
"""One pool for all: the stages of two runs would wait for the build lock anyway."""


def asset_key(key: str) -> dg.AssetKey:
    """``corpus/chunk`` as an asset key: schema and table."""
    return dg.AssetKey(key.split("/"))


@contextmanager
def explained_failures() -> Iterator[None]:
    """Show a known failure as its cause and remedy; only lost training is worth a second try."""
    try:
        yield
    except FakesmrtError as error:
        raise dg.Failure(description=str(error), allow_retries=isinstance(error, TrainingFailed)) from error
    except BrokenProcessPool as error:
        raise dg.Failure(
            description="A worker process was killed, most likely for want of memory. "
            "Close other programs or build with --workers 1; what was finished is kept.",
            allow_retries=False,
        ) from error
    except OSError as error:
        raise dg.Failure(description=str(explained(error)), allow_retries=False) from error


@contextmanager
def never_retried_when_interrupted() -> Iterator[None]:
    """Dagster takes Ctrl-C in a step with a retry policy for a failure and tries again; people mean to stop."""
    try:
        yield
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError) as error:
        raise dg.Failure(description=INTERRUPTED, allow_retries=False) from error


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
            context: dg.AssetExecutionContext,
            home: HomeResource,
            build: BuildResource,
            listener: dg.ResourceParam[Listener],
        ) -> dg.MaterializeResult[Any]:
            retried = never_retried_when_interrupted() if retry_policy else nullcontext()
            with retried, explained_failures():
                warehouse = home.warehouse()
                stage_context = StageContext(
                    warehouse=warehouse,
                    settings=build.settings(),
                    progress=listener.progress(key, context.log.info),
                    run_id=context.run.run_id,
                )
                with build_lock(warehouse.home.root):
                    # Runs of the UI, of schedules and of sensors begin here.
                    finish_unfinished(warehouse)
                    report = stage(stage_context)
                listener.finished(report)
                for problem in report.problems[:LOGGED_PROBLEMS]:
                    context.log.warning(problem)
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
