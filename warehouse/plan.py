"""What a build would do, and why, without doing it.

Each stage states what it would be made from now; where that differs from its last commit, it would run. A stage
after one that would run would most likely run too: its input is not known yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from warehouse.errors import FakesmrtError
from warehouse.stages import source_file
from warehouse.stages.stage import StageContext, StageRun

Version = Callable[[StageContext], StageRun]


@dataclass(frozen=True)
class PlannedStage:
    """A stage in a plan.

    Attributes:
        asset: asset key.
        runs: whether it would do something.
        reason: why, or why not.
    """

    asset: str
    runs: bool
    reason: str


def plan_source_files(context: StageContext) -> PlannedStage:
    """Compare the corpora's locations with what is recorded; hashes what may have changed."""
    found = source_file.scan(context)
    with context.warehouse.read() as connection:
        known = {
            (corpus, path): (sha256, licence)
            for corpus, path, sha256, licence in connection.execute(
                "SELECT corpus, path, sha256, licence FROM corpus.source_file WHERE retired_at IS NULL"
            ).fetchall()
        }
    recorded = [(file, known.get((file.corpus, file.path))) for file in found.inspected]
    new = sum(before is None for _, before in recorded)
    changed = sum(before is not None and before[0] != file.sha256 for file, before in recorded)
    relicensed = sum(before is not None and before[1] != file.licence for file, before in recorded)
    unchanged = found.n_unchanged + len(recorded) - new - changed
    reason = f"{new} new, {changed} changed, {len(found.vanished)} vanished, {unchanged} unchanged files"
    if relicensed:
        reason += f"; {relicensed} with another licence"
    difference = _difference(source_file.version(context))
    if difference is not None:
        # The recorded files are those of the last build, so what differs of them is a weight.
        reason += "; a weight changed" if difference == "files changed" else f"; {difference}"
    runs = bool(new or changed or found.vanished or relicensed or difference)
    return PlannedStage("corpus/source_file", runs, reason)


def _difference(stage: StageRun) -> str | None:
    """Why a stage is not up to date; None where it is."""
    last = stage.last()
    if last is None:
        return "it was never built"
    if last.data_version == stage.data_version:
        return None
    before = json.loads(last.inputs)
    changed = sorted(
        name for name in stage.inputs.keys() | before.keys() if stage.inputs.get(name) != before.get(name)
    )
    if last.code_version != stage.code_version:
        changed.append("its code")
    return f"{', '.join(changed)} changed"


def plan_stages(
    context: StageContext, versions: Mapping[str, Version], upstream: Mapping[str, Sequence[str]]
) -> list[PlannedStage]:
    """The plan for all stages.

    Args:
        context: the build that is asked for.
        versions: each asset after ``corpus/source_file``, in the order of the graph, and its stage's ``version``.
        upstream: each asset's inputs.
    """
    planned = [plan_source_files(context)]
    running = {stage.asset for stage in planned if stage.runs}
    for asset, version in versions.items():
        if before := [name for name in upstream[asset] if name in running]:
            planned.append(_planned_after(before[0], context, asset, version))
        else:
            planned.append(_planned(context, asset, version))
        if planned[-1].runs:
            running.add(asset)
    return planned


def _planned_after(before: str, context: StageContext, asset: str, version: Version) -> PlannedStage:
    """A stage after one that would run, with what of its own changed beside."""
    reason = f"{before} would run"
    try:
        stage = version(context)
        changed = _difference(stage) if stage.last() else None
    except FakesmrtError:
        # It lacks an input that the build would make.
        changed = None
    return PlannedStage(asset, True, f"{reason}; {changed}" if changed else reason)


def _planned(context: StageContext, asset: str, version: Version) -> PlannedStage:
    try:
        reason = _difference(version(context))
    except FakesmrtError as error:
        return PlannedStage(asset, True, error.cause)
    return PlannedStage(asset, reason is not None, reason or "up to date")
