"""What a build would do, and why, without doing it.

Each stage says what it would be made from; where that is not what it was made from last, it would run. What an asset
would be after the build is foretold from the front of the graph to its end::

    its last version         where its stage would not run
    the version of a prospect    where that follows from what is recorded already: files, licences, what vanished
    another than now         where that much is sure: something goes, or a rule or a budget is another one
    unknown                  where a stage must look first: whether new files hold text, whether a shard changes

What comes after an unknown asset runs or not, and the plan says which stage will tell. Everything else is exact: the
same build runs the stages that are planned, and no other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from warehouse.errors import FakesmrtError
from warehouse.prospect import PlannedFile, Prospect, look_ahead
from warehouse.stages import chunk, document, perplexity, shard, source_file
from warehouse.stages.stage import FAILED_BEFORE, Materialization, StageContext, StageRun, content_version

Version = Callable[[StageContext], StageRun]

UP_TO_DATE = "up to date"
NOT_ASKED_FOR = "not asked for"
NEVER_BUILT = "it was never built"

TELLS = {
    document.ASSET: "finds text in the files that it reads",
    chunk.ASSET: "gives other chunks than before",
    shard.ASSET: "gives other shards than before: the recipe may leave all of it out",
}
"""Stages whose version is a hash of their result, and what has to come out for the stages after them to run."""

PINS = (perplexity.ASSET, shard.ASSET)
"""Stages that run whenever new references are asked for."""


@dataclass(frozen=True)
class PlannedStage:
    """A stage in a plan.

    Attributes:
        asset: asset key.
        runs: whether it would do something; None where an earlier stage has to tell.
        reason: why, or why not.
        waits_for: the asset whose stage has to tell.
        files: those that it would work on.
    """

    asset: str
    runs: bool | None
    reason: str
    waits_for: str | None = None
    files: tuple[PlannedFile, ...] = ()


@dataclass(frozen=True)
class _Outcome:
    """What is foretold of an asset.

    Attributes:
        version: its data version after the build; None where it is not known.
        is_other: it is another one than now, known or not.
        waits_for: the asset whose stage has to tell, where it may be another one.
    """

    version: str | None = None
    is_other: bool = False
    waits_for: str | None = None


class _Planner:
    def __init__(
        self, context: StageContext, prospect: Prospect, upstream: Mapping[str, Sequence[str]]
    ) -> None:
        self._context = context
        self._prospect = prospect
        self._upstream = upstream
        self._outcomes: dict[str, _Outcome] = {}
        self.planned: list[PlannedStage] = []

    def leave_out(self, asset: str, scope: str) -> None:
        """A stage that is not asked for stays what it is."""
        last = StageRun(self._context, asset, scope, {}, ()).last()
        self._outcomes[asset] = _Outcome(version=last.data_version if last else None)
        self.planned.append(PlannedStage(asset, False, NOT_ASKED_FOR))

    def plan_source_files(self) -> None:
        prospect = self._prospect
        stage = StageRun(self._context, source_file.ASSET, "", prospect.versions, source_file.CODE)
        last = stage.last()
        differs = last is None or last.data_version != stage.data_version
        counts = Counter(file.change for file in prospect.files)
        told = [f"{counts[change]} {change}" for change in ("new", "changed", "vanished")]
        reason = f"{', '.join(told)}, {prospect.n_unchanged} unchanged files"
        if relicensed := counts["another licence"]:
            reason += f"; {relicensed} with another licence"
        if last is None:
            reason += f"; {NEVER_BUILT}"
        elif changed := self._changed(last, stage.inputs):
            reason += f"; {', '.join(changed)} changed"
        self._outcomes[source_file.ASSET] = _Outcome(stage.data_version, is_other=differs)
        self.planned.append(PlannedStage(source_file.ASSET, differs, reason, files=prospect.files))

    def plan(self, asset: str, version: Version) -> None:
        """Plan a stage whose inputs are planned."""
        try:
            stage = version(self._context)
            last = stage.last()
        except FakesmrtError as error:
            # It lacks an input that the build would make, or something that the build would lack too.
            self._take(PlannedStage(asset, True, error.cause), None, None)
            return
        if last is None:
            self._take(PlannedStage(asset, True, NEVER_BUILT), None, None)
            return
        inputs = self._foretold(stage)
        reasons = self._reasons(stage, last, inputs)
        waits_for = self._waits_for(asset)
        if reasons:
            planned = PlannedStage(asset, True, "; ".join(reasons))
        elif waits_for is not None:
            planned = PlannedStage(asset, None, f"only if {waits_for} {TELLS[waits_for]}", waits_for)
        else:
            planned = PlannedStage(asset, False, UP_TO_DATE)
        self._take(planned, stage.version_from(inputs), last)

    def _foretold(self, stage: StageRun) -> dict[str, str]:
        """A stage's inputs as they would be when it is its turn, as far as is known."""
        inputs = dict(stage.inputs)
        for name in inputs:
            if name in self._prospect.versions:
                inputs[name] = self._prospect.versions[name]
            elif name in self._outcomes:
                inputs[name] = self._outcomes[name].version or inputs[name]
        return inputs

    def _reasons(self, stage: StageRun, last: Materialization, inputs: Mapping[str, str]) -> list[str]:
        reasons = []
        asset = stage.asset
        if self._context.settings.new_references and asset in PINS:
            reasons.append("new references are asked for")
        if changed := self._changed(last, inputs):
            reasons.append(f"{', '.join(changed)} changed")
        if last.code_version != stage.code_version:
            reasons.append("its code changed")
        if FAILED_BEFORE in last.inputs:
            reasons.append(f"{last.inputs[FAILED_BEFORE]} files that failed are tried again")
        if last.is_unfinished:
            reasons.append("it was interrupted")
        return reasons

    def _changed(self, last: Materialization, inputs: Mapping[str, str]) -> list[str]:
        """Names of the inputs that are others than the last time, as far as is known."""
        assets = {name: self._outcomes[name] for name in inputs if name in self._outcomes}
        unsure = {name for name, outcome in assets.items() if outcome.waits_for}
        surely = {name for name, outcome in assets.items() if outcome.is_other and outcome.version is None}
        names = (inputs.keys() | last.inputs.keys()) - unsure - {FAILED_BEFORE}
        return sorted(name for name in names if name in surely or inputs.get(name) != last.inputs.get(name))

    def _waits_for(self, asset: str) -> str | None:
        roots = [self._outcomes[name].waits_for for name in self._upstream[asset]]
        return next((root for root in roots if root is not None), None)

    def _take(self, planned: PlannedStage, version: str | None, last: Materialization | None) -> None:
        """Note a stage, and foretell its asset from the version that its inputs give."""
        asset = planned.asset
        if asset == document.ASSET and planned.runs:
            planned = replace(planned, files=self._prospect.read)
        if asset == chunk.ASSET and planned.runs is not False:
            planned = replace(planned, files=self._prospect.cut)
        self.planned.append(planned)
        self._outcomes[asset] = self._outcome(planned, version, last)

    def _outcome(self, planned: PlannedStage, version: str | None, last: Materialization | None) -> _Outcome:
        asset = planned.asset
        if version is None or last is None:
            return _Outcome(is_other=True)
        if planned.runs is False:
            return _Outcome(last.data_version)
        if asset in TELLS:
            return self._result(planned, last)
        if planned.runs is None:
            return _Outcome(waits_for=planned.waits_for)
        is_known = all(self._outcomes[name].version is not None for name in self._upstream[asset])
        return _Outcome(version if is_known else None, is_other=True)

    def _result(self, planned: PlannedStage, last: Materialization) -> _Outcome:
        """What is foretold of an asset whose version is a hash of the result."""
        asset, prospect, recipe = planned.asset, self._prospect, self._context.settings.recipe
        if asset == document.ASSET:
            sure, is_whole = content_version(asset, "", prospect.documents), not prospect.read
        elif asset == chunk.ASSET:
            sure = content_version(asset, recipe, prospect.chunks)
            is_whole = not prospect.cut and self._outcomes[document.ASSET].version is not None
        else:
            sure, is_whole = "" if prospect.n_chunks_lost else last.data_version, False
        if is_whole:
            return _Outcome(sure, is_other=sure != last.data_version)
        # What is new cannot bring back what is gone.
        if sure != last.data_version:
            return _Outcome(is_other=True)
        return _Outcome(waits_for=planned.waits_for or asset)


def plan_stages(
    context: StageContext,
    versions: Mapping[str, Version],
    upstream: Mapping[str, Sequence[str]],
    selected: Collection[str] | None = None,
) -> list[PlannedStage]:
    """The plan for all stages.

    Args:
        context: the build that is asked for.
        versions: each asset after ``corpus/source_file``, in the order of the graph, and its stage's ``version``.
        upstream: each asset's inputs.
        selected: the assets that the build is asked for; None is all.
    """
    is_scanned = selected is None or source_file.ASSET in selected
    planner = _Planner(context, look_ahead(context, scanned=is_scanned), upstream)
    if is_scanned:
        planner.plan_source_files()
    else:
        planner.leave_out(source_file.ASSET, "")
    for asset, version in versions.items():
        if selected is None or asset in selected:
            planner.plan(asset, version)
        else:
            planner.leave_out(asset, "" if asset == document.ASSET else context.settings.recipe)
    return planner.planned
