"""The code location: the one place where assets, checks, jobs, automation and resources come together.

What lives here: `build_definitions`. What does not: anything that computes. Importing this module imports
no torch."""

from collections.abc import Mapping

import dagster as dg

from fakesmrt_assets.assets.corpus import CORPUS_ASSETS
from fakesmrt_assets.assets.models import MODEL_ASSETS
from fakesmrt_assets.assets.reports import REPORT_ASSETS
from fakesmrt_assets.assets.tokens import TOKEN_ASSETS
from fakesmrt_assets.automation import SCHEDULES, SENSORS
from fakesmrt_assets.checks import CHECKS
from fakesmrt_assets.jobs import JOBS
from fakesmrt_assets.listening import EventLogListener
from fakesmrt_assets.resources import BuildResource, HomeResource


def build_definitions(overrides: Mapping[str, object] | None = None) -> dg.Definitions:
    """The whole code location.

    Args:
        overrides: resources by name (``home``, ``build``, ``listener``) in place of the default ones.
    """
    resources: dict[str, object] = {
        "home": HomeResource(),
        "build": BuildResource(),
        "listener": EventLogListener(),
        **(overrides or {}),
    }
    return dg.Definitions(
        assets=[*CORPUS_ASSETS, *TOKEN_ASSETS, *MODEL_ASSETS, *REPORT_ASSETS],
        asset_checks=CHECKS,
        jobs=JOBS,
        schedules=SCHEDULES,
        sensors=SENSORS,
        resources=resources,
        # Stages share one writer and fan out by themselves; a process a step would cost seconds each.
        executor=dg.in_process_executor,
    )


defs = build_definitions()
