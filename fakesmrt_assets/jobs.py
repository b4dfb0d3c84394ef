"""The jobs: which assets a schedule, a sensor or the command line builds in one run.

What lives here: named selections and their run configuration. What does not: when they run
(``automation.py``)."""

from typing import Any

import dagster as dg

from warehouse.stages.stage import BuildSettings

CORPUS_REPORT = dg.AssetSelection.assets(["reports", "corpus_report"])

RETRIED_IF_KILLED = {"dagster/max_retries": "1"}
"""A run whose worker was killed is launched once more and resumes; a failed step is not (dagster.yaml)."""

SELECTIONS = {
    "corpus": dg.AssetSelection.groups("corpus") | CORPUS_REPORT,
    "tokens": dg.AssetSelection.groups("tokens"),
    "models": dg.AssetSelection.groups("models"),
    "reports": dg.AssetSelection.groups("reports"),
    "ingest": dg.AssetSelection.groups("corpus") | CORPUS_REPORT,
    "train": dg.AssetSelection.groups("tokens", "models", "reports") - CORPUS_REPORT,
    "nightly": dg.AssetSelection.all(),
}
"""What can be built by name."""


def run_config(settings: BuildSettings) -> dict[str, Any]:
    """The run configuration that hands `settings` to every stage of a run."""
    return {"resources": {"build": {"config": settings.to_dict()}}}


ingest = dg.define_asset_job(
    "ingest",
    selection=SELECTIONS["ingest"],
    description="Reads new, changed and vanished files into the Training Database; trains nothing.",
    tags=RETRIED_IF_KILLED,
)

train = dg.define_asset_job(
    "train",
    selection=SELECTIONS["train"],
    description="From the kept chunks to shards, micromodels, a mixed model and its reports.",
    tags=RETRIED_IF_KILLED,
)

nightly = dg.define_asset_job(
    "nightly",
    selection=SELECTIONS["nightly"],
    description="Everything, from the files to the promoted model; what is up to date takes seconds.",
    tags=RETRIED_IF_KILLED,
)

JOBS = [ingest, train, nightly]
