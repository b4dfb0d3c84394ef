"""What every stage has in common: its settings, its version, whether it is up to date, and its commit.

A stage is a function ``run(context) -> StageReport``: it compares its data version with the last commit's, does
the work that is missing, and commits rows together with a row of ``meta.materialization``.
"""

from __future__ import annotations

import ast
import json
import os
import resource
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from warehouse import recipes
from warehouse.database import Connection, Warehouse, query
from warehouse.errors import InvalidConfiguration
from warehouse.identity import fingerprint
from warehouse.processes import start_worker
from warehouse.progress import Progress, silent
from warehouse.recipes import Recipe

ASSETS = (
    "corpus/source_file",
    "corpus/document",
    "corpus/chunk",
    "corpus/duplicate",
    "corpus/repeated_passage",
    "corpus/contamination",
    "corpus/perplexity",
    "corpus/training_chunk",
    "tokens/shard",
    "models/micromodel",
    "models/mixed_model",
    "models/promoted_model",
    "reports/corpus_report",
    "reports/eval_report",
    "reports/model_card",
    "reports/lineage_audit",
)
"""Every asset, in an order in which each comes after what it is made from."""


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
        data_version: hash of inputs, parameters and code.
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
    def executor(self) -> Any:
        """Processes for the corpus stages, fresh interpreters without this one's locks and connections."""
        workers = self.settings.workers or os.cpu_count() or 1
        executor: Executor = ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=start_worker, initargs=(os.getpid(),)
        )
        try:
            yield executor
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


QUERY_FUNCTIONS = {"query", "run_script"}
"""Calls that name a file of ``warehouse/queries``."""


def _query_texts(tree: ast.AST) -> list[str]:
    """The SQL that a module names: text of the queries whose names stand in its calls."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = {
        argument.value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in QUERY_FUNCTIONS
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
    return [query(name) for name in sorted(named)]


def _normalised_source(path: Path) -> str:
    """What a module computes: its syntax without comments and docstrings, and the SQL that it names."""
    tree = ast.parse(path.read_text())
    queries = _query_texts(tree)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [
                child
                for child in body
                if not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant))
            ]
            node.body = kept or [ast.Pass()]  # type: ignore[attr-defined]  # every node with a list named body takes one
    return ast.dump(tree) + "".join(queries)


def _sources(name: str) -> list[tuple[str, str]]:
    """File names and contents of a module, a package, or a folder of templates."""
    spec = find_spec(name)
    if spec is None:
        raise InvalidConfiguration(f"There is no module {name}", "Reinstall fakesmrt")
    if spec.origin is None:
        folders = [Path(folder) for folder in spec.submodule_search_locations or []]
        paths = sorted(path for folder in folders for path in folder.iterdir() if path.is_file())
        return [(path.name, path.read_text()) for path in paths]
    origin = Path(spec.origin)
    modules = sorted(origin.parent.rglob("*.py")) if spec.submodule_search_locations else [origin]
    return [(path.name, _normalised_source(path)) for path in modules]


@lru_cache
def code_version(*modules: str) -> str:
    """Hash of what the named modules and packages compute, SQL and templates included.

    Comments and docstrings of Python do not count.
    """
    parts = [part for name in sorted(modules) for source in _sources(name) for part in source]
    return fingerprint(*parts)


def peak_memory_bytes() -> int:
    """Largest resident memory so far of this process or of one of its finished children."""
    kibibytes = max(
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
    )
    return kibibytes * 1024


@dataclass(frozen=True)
class Materialization:
    """The last commit of an asset in a scope."""

    data_version: str
    code_version: str
    inputs: str
    n_rows: int


def last_materialization(connection: Connection, asset: str, scope: str) -> Materialization | None:
    """The newest commit of `asset` in `scope`; None where there is none."""
    rows = connection.execute(query("last_materialization"), [asset, scope]).fetchall()
    return Materialization(*rows[0]) if rows else None


class StageRun:
    """One run of a stage: its version against the last one, its clock, its commit."""

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
        self.data_version = fingerprint(asset, scope, json.dumps(self.inputs), self.code_version)
        self._started = time.perf_counter() if started is None else started

    def last(self) -> Materialization | None:
        with self.context.warehouse.read() as connection:
            return last_materialization(connection, self.asset, self.scope)

    def up_to_date(self) -> bool:
        last = self.last()
        return last is not None and last.data_version == self.data_version

    def record(self, connection: Connection, n_rows: int, retry: Iterable[str] = ()) -> None:
        """Add the row of ``meta.materialization``: part of the stage's last transaction.

        Args:
            connection: the open transaction.
            n_rows: rows of the asset now.
            retry: what failed and may succeed next time; with anything here the next build runs the stage again.
        """
        if failures := list(retry):
            self.data_version = fingerprint(self.data_version, *failures)
        connection.execute(
            query("record_materialization"),
            [
                self.asset,
                self.scope,
                self.context.run_id,
                self.code_version,
                self.data_version,
                json.dumps(self.inputs),
                n_rows,
                self.seconds,
                peak_memory_bytes(),
            ],
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
        return StageReport(
            self.asset,
            self.data_version,
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
                raise InvalidConfiguration(f"{asset} was not built yet", "Run: fakesmrt build")
            versions[asset] = last.data_version
    return versions


Item = TypeVar("Item")
Output = TypeVar("Output")


def map_bounded(
    executor: Executor, function: Callable[[Item], Output], items: Iterable[Item], in_flight: int = 4
) -> Iterator[Output]:
    """Like ``executor.map``, but with at most `in_flight` results waiting: memory does not grow with the items."""
    waiting: deque[Future[Output]] = deque()
    for item in items:
        waiting.append(executor.submit(function, item))
        if len(waiting) >= in_flight:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


Stage = Callable[[StageContext], StageReport]
