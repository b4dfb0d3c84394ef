"""What every stage has in common: its settings, its version, whether it is up to date, and its commit.

A stage is a function ``run(context) -> StageReport``: it compares its data version with the last commit's, does
the work that is missing, and commits rows together with a row of ``meta.materialization``.
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from warehouse import recipes
from warehouse.code_versions import code_version
from warehouse.database import Connection, Warehouse, query, run_script
from warehouse.errors import InvalidConfiguration
from warehouse.identity import fingerprint
from warehouse.progress import Progress, silent
from warehouse.recipes import Recipe
from warehouse.workers import Workers, open_workers, tasks_in_flight

ASSETS = (
    "corpus/source_file",
    "corpus/document",
    "corpus/chunk",
    "corpus/duplicate",
    "corpus/repeated_passage",
    "corpus/search_index",
    "corpus/contamination",
    "corpus/perplexity",
    "corpus/training_chunk",
    "reports/corpus_report",
    "tokens/shard",
    "models/micromodel",
    "models/mixed_model",
    "models/promoted_model",
    "reports/eval_report",
    "reports/lineage_audit",
    "reports/model_card",
)
"""Every asset, in the order in which Dagster materialises them: each comes after what it is made from."""


@dataclass(frozen=True)
class BuildSettings:
    """What one build is asked to do; a dictionary round-trips it.

    Attributes:
        recipe: name of the recipe.
        corpora: names of the corpora to look for new files in; empty means all.
        replicates: members of the population.
        minutes: training budget of one member, in minutes of wall time.
        steps: training budget of one member in steps, instead of `minutes`.
        new_references: replace pinned references and tokenizers.
        workers: processes for the corpus stages; None means one a core.
        independent: members of the population start anew instead of branching from a common trunk.
    """

    recipe: str = "default"
    corpora: tuple[str, ...] = ()
    replicates: int = 2
    minutes: float = 3.0
    steps: int | None = None
    new_references: bool = False
    workers: int | None = None
    independent: bool = False

    def __post_init__(self) -> None:
        if self.replicates < 2:
            raise InvalidConfiguration(
                f"{self.replicates} replicates make no population to mix", "Ask for at least 2"
            )
        if self.minutes <= 0 or (self.steps is not None and self.steps <= 0):
            raise InvalidConfiguration("The training budget is zero", "Give --minutes a positive number")

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "corpora": list(self.corpora)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> BuildSettings:
        return cls(**{**values, "corpora": tuple(values.get("corpora", ()))})


@dataclass(frozen=True)
class StageReport:
    """What a stage did.

    Attributes:
        asset: asset key, schema/table.
        data_version: what stages after it compare: a hash of the result, or of what it was made from.
        code_version: hash of the code.
        up_to_date: nothing had to be done.
        n_rows: rows of the asset now.
        seconds: wall time.
        counts: small facts by name, for people.
        problems: one line for each thing that went wrong without stopping the rest.
    """

    asset: str
    data_version: str
    code_version: str
    up_to_date: bool
    n_rows: int
    seconds: float
    counts: Mapping[str, int | float | str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class StageContext:
    """What a stage works with. `run_id` names the Dagster run, or the process where there is none."""

    warehouse: Warehouse
    settings: BuildSettings = field(default_factory=BuildSettings)
    progress: Progress = silent
    run_id: str = field(default_factory=lambda: f"process-{os.getpid()}")

    @property
    def recipe(self) -> Recipe:
        return recipes.load_recipe(self.warehouse.home, self.settings.recipe)

    @contextmanager
    def executor(self) -> Iterator[Workers]:
        """Workers for the tasks of one stage."""
        with open_workers(self.warehouse.home.root, self.settings.workers) as workers:
            yield workers


def peak_memory_bytes() -> int:
    """Largest resident memory so far of this process or of one of its finished children."""
    kibibytes = max(
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
    )
    return kibibytes * 1024


@dataclass(frozen=True)
class Materialization:
    """The last commit of an asset in a scope.

    Attributes:
        data_version: of the result.
        code_version: hash of the code that made it.
        recorded_inputs: JSON object of the inputs' versions and the parameters.
        n_rows: rows of the asset.
        is_unfinished: a later run began to change rows and did not reach its end.
    """

    data_version: str
    code_version: str
    recorded_inputs: str
    n_rows: int
    is_unfinished: bool

    @property
    def inputs(self) -> dict[str, str]:
        """Each input asset or parameter and its version."""
        return dict(json.loads(self.recorded_inputs))


def last_materialization(connection: Connection, asset: str, scope: str) -> Materialization | None:
    """The newest commit of `asset` in `scope`; None where there is none."""
    rows = connection.execute(query("last_materialization"), {"asset": asset, "scope": scope}).fetchall()
    return Materialization(*rows[0]) if rows else None


def content_version(asset: str, scope: str, content: str) -> str:
    """The data version of an asset that is told by its result, from a hash of that."""
    return fingerprint(asset, scope, content)


FAILED_BEFORE = "failed before"
"""Recorded beside the inputs of a run in which something failed that may succeed next time."""


class StageRun:
    """One run of a stage: what it is made from against the last time, its clock, its commit.

    `data_version` is a hash of the inputs and the code, unless `record` is told a hash of the result: then stages
    after it stay where the result came out as before, whatever it was made from.
    """

    def __init__(
        self,
        context: StageContext,
        asset: str,
        scope: str,
        inputs: Mapping[str, str],
        modules: Iterable[str],
        started: float | None = None,
    ) -> None:
        self.context = context
        self.asset = asset
        self.scope = scope
        self.inputs = dict(sorted(inputs.items()))
        self.code_version = code_version(*modules)
        self.data_version = self.version_from(self.inputs)
        self._started = time.perf_counter() if started is None else started

    def version_from(self, inputs: Mapping[str, str]) -> str:
        """The data version that the same code gives to what is made from other inputs."""
        return fingerprint(
            self.asset, self.scope, json.dumps(dict(sorted(inputs.items()))), self.code_version
        )

    def last(self) -> Materialization | None:
        with self.context.warehouse.read() as connection:
            return last_materialization(connection, self.asset, self.scope)

    def up_to_date(self) -> bool:
        """Whether the last commit was made from the same, by the same code, and nothing was begun since."""
        last = self.last()
        return (
            last is not None
            and not last.is_unfinished
            and (last.inputs, last.code_version) == (self.inputs, self.code_version)
        )

    def begin(self) -> None:
        """Say that rows are about to change in several commits: until `record`, the stage is not up to date.

        Else a run that was killed between two commits would pass for none where its inputs go back to what they were.
        """
        with self.context.warehouse.write(f"beginning {self.asset}") as connection:
            run_script(connection, "begin_stage", self._place | {"run_id": self.context.run_id})

    @property
    def _place(self) -> dict[str, str]:
        return {"asset": self.asset, "scope": self.scope}

    def record(
        self, connection: Connection, n_rows: int, retry: Iterable[str] = (), content: str | None = None
    ) -> None:
        """Add the row of ``meta.materialization``: part of the stage's last transaction.

        Args:
            connection: the open transaction.
            n_rows: rows of the asset now.
            retry: what failed and may succeed next time; with anything here the next build runs the stage again.
            content: hash of all that stages after this one read of the result.
        """
        failures = len(list(retry))
        inputs = self.inputs | ({FAILED_BEFORE: str(failures)} if failures else {})
        if content is not None:
            self.data_version = content_version(self.asset, self.scope, content)
        run_script(
            connection,
            "record_materialization",
            self._place
            | {
                "run_id": self.context.run_id,
                "code_version": self.code_version,
                "data_version": self.data_version,
                "inputs": json.dumps(inputs),
                "n_rows": n_rows,
                "seconds": self.seconds,
                "peak_memory_bytes": peak_memory_bytes(),
            },
        )

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    def report(
        self,
        n_rows: int,
        counts: Mapping[str, int | float | str],
        *,
        up_to_date: bool = False,
        problems: Iterable[str] = (),
    ) -> StageReport:
        last = self.last() if up_to_date else None
        return StageReport(
            self.asset,
            last.data_version if last else self.data_version,
            self.code_version,
            up_to_date,
            n_rows,
            self.seconds,
            dict(counts),
            tuple(problems),
        )


def input_versions(context: StageContext, assets: Mapping[str, str]) -> dict[str, str]:
    """Data versions of the assets that a stage is made from.

    Args:
        context: the build.
        assets: asset key to scope.

    Raises:
        InvalidConfiguration: if one was never materialised.
    """
    versions = {}
    with context.warehouse.read() as connection:
        for asset, scope in assets.items():
            last = last_materialization(connection, asset, scope)
            if last is None:
                raise _not_built(asset)
            versions[asset] = last.data_version
    return versions


def recorded_inputs(context: StageContext, asset: str, names: Iterable[str]) -> dict[str, str]:
    """Some of what an asset of all recipes was made from: for stages that depend on no more of it than these.

    Raises:
        InvalidConfiguration: if it was never materialised.
    """
    with context.warehouse.read() as connection:
        last = last_materialization(connection, asset, "")
    if last is None:
        raise _not_built(asset)
    return {name: last.inputs.get(name, "") for name in names}


def _not_built(asset: str) -> InvalidConfiguration:
    return InvalidConfiguration(
        f"{asset} was not built yet", f"Run: fakesmrt build {asset.partition('/')[0]}"
    )


Item = TypeVar("Item")
Output = TypeVar("Output")


def map_bounded(
    executor: Executor, function: Callable[[Item], Output], items: Iterable[Item]
) -> Iterator[Output]:
    """Like ``executor.map``, but with a bounded number of results waiting: memory does not grow with the items."""
    in_flight = tasks_in_flight(executor)
    waiting: deque[Future[Output]] = deque()
    for item in items:
        waiting.append(executor.submit(function, item))
        if len(waiting) >= in_flight:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


Stage = Callable[[StageContext], StageReport]
