"""Stage models/micromodel: a trunk, and branches from it on bootstrap replicates; or replicates of their own start.

The trunk is trained on all training documents for half of a member's budget, at the stable learning rate; each
branch goes on from it for the other half on its own Poisson replicate, with the decay. So the members are a branch
pool, whose weights may be averaged (DESIGN §10), for the price of (1 + K) / 2 members.

Independent members cost K. They are mixed in probabilities only, and each leaves out about a third of the documents,
so that it can judge these without bias.

The trunk has all cores; the others are trained side by side, each with its share (``training/fleet.py``). A member's
budget in minutes is what it would have alone with all cores: side by side it takes as many times longer as there are
members at work, and the population is ready at the same time, further trained.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pyarrow as pa

from fakesmrt_models.training.duration import COMPILING_PAYS_SECONDS, expected_seconds
from fakesmrt_models.training.fleet import Fleet, machine_fleet, run_trainings
from fakesmrt_models.training.request import TrainingRequest, TrainingResult
from fakesmrt_models.training.schedule import BRANCH, TRUNK, WHOLE
from warehouse.database import Connection, query, run_script, scalar
from warehouse.errors import CheckFailed
from warehouse.files import fetched_folder, names, store_folder
from warehouse.identity import content_id, fingerprint
from warehouse.progress import Progress
from warehouse.recipes import Recipe
from warehouse.stages.arrow import arrow_table
from warehouse.stages.shard import pinned_tokenizer
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions

ASSET = "models/micromodel"
CODE = (
    "fakesmrt_models.architecture",
    "fakesmrt_models.kernels",
    "fakesmrt_models.training",
    "fakesmrt_assets.stages.micromodel",
)

PRESET = "1mx"
TRUNK_FRACTION = 0.5
"""Share of a member's budget that all members have in common."""

OF_THE_TRAINING = ("checkpoints", "lock")
"""What a finished training leaves in its folder and nobody needs: it is taken by its result."""

RANGE = pa.schema(
    {
        "checkpoint_id": pa.uuid(),
        "shard_id": pa.uuid(),
        "token_start": pa.int64(),
        "token_end": pa.int64(),
        "times": pa.int32(),
    }
)

METRIC = pa.schema(
    {
        "experiment": pa.string(),
        "replicate": pa.int32(),
        "step": pa.int32(),
        "n_tokens": pa.int64(),
        "loss": pa.float64(),
        "bits_per_byte": pa.float64(),
        "learning_rate": pa.float64(),
        "tokens_per_second": pa.float64(),
        "train_bits_per_byte": pa.float64(),
        "gradient_norm": pa.float64(),
        "utilisation": pa.float64(),
    }
)


@dataclass(frozen=True)
class Trained:
    """A finished training, and what it is in the population; replicate None is the trunk."""

    replicate: int | None
    run_dir: Path
    result: TrainingResult
    checkpoint_id: UUID


def experiment_name(stage: StageRun) -> str:
    """An experiment is named by everything that goes into it."""
    return stage.data_version[:16]


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    settings = context.settings
    trainings = population_requests(context, Path("tokens"), Path("trunk"))
    budget = f"{settings.steps} steps" if settings.steps else f"{settings.minutes} minutes"
    inputs = {
        **input_versions(context, {"tokens/shard": settings.recipe}),
        "preset": PRESET,
        "replicates": str(settings.replicates),
        "budget": budget,
        "trunk_fraction": str(_trunk_fraction(context)),
        "seed": str(context.recipe.seed),
        "threads": str(_fleet(context).threads),
        # All that the machine decides besides: a folder of this name can then hold no other trainings.
        "trainings": fingerprint(*(request.to_json() for _, request in trainings)),
    }
    return StageRun(context, ASSET, settings.recipe, inputs, CODE)


def _trunk_fraction(context: StageContext) -> float:
    return 0.0 if context.settings.independent else TRUNK_FRACTION


def _fleet(context: StageContext) -> Fleet:
    return machine_fleet(context.settings.replicates)


def tokens_folder(context: StageContext, recipe: Recipe) -> Path:
    """The folder of the recipe's shards and tokenizer.

    Raises:
        CheckFailed: if there is none, or it holds other shards than the database names.
    """
    with context.warehouse.read() as connection:
        tokenizer = pinned_tokenizer(connection, recipe)
    if tokenizer is None:
        raise CheckFailed(f"Recipe {recipe.name} has no tokenizer yet", "Run: fakesmrt build tokens")
    folder = context.warehouse.home.tokens / tokenizer.path
    _require_current_shards(context, folder)
    return folder


def _require_current_shards(context: StageContext, folder: Path) -> None:
    with context.warehouse.read() as connection:
        rows = connection.execute("SELECT path FROM tokens.shard WHERE recipe = ?", [context.settings.recipe])
        recorded = {Path(path).stem for (path,) in rows.fetchall()}
    there = {Path(name).stem for name in names(folder, "*-[0-9][0-9]-*.json")}
    if there != recorded:
        raise CheckFailed(
            f"The shards in {folder} are not those that the database names", "Run: fakesmrt build tokens"
        )


def population_requests(
    context: StageContext, folder: Path, trunk_model: Path
) -> list[tuple[int | None, TrainingRequest]]:
    """What is trained, the trunk first where there is one."""
    settings, seed, common = context.settings, context.recipe.seed, _trunk_fraction(context)
    fleet, whole = _fleet(context), machine_fleet(1)

    def budgeted(fraction: float, among: Fleet, request: TrainingRequest) -> TrainingRequest:
        if settings.steps is None:
            sized = dataclasses.replace(request, minutes=among.minutes(settings.minutes * fraction))
        else:
            sized = dataclasses.replace(request, minutes=None, steps=max(1, round(settings.steps * fraction)))
        # Members are one shape, compiled once for all: what counts is how long they train one after another.
        compiled = expected_seconds(sized) * among.rounds >= COMPILING_PAYS_SECONDS
        return dataclasses.replace(sized, compiled=compiled)

    base = TrainingRequest(
        tokens=folder, preset=PRESET, seed=seed, minutes=settings.minutes, threads=fleet.threads
    )
    replicates = [
        (
            replicate,
            budgeted(
                1 - common,
                fleet,
                dataclasses.replace(
                    base,
                    seed=seed + 1 + replicate,
                    bootstrap_seed=seed * 1000 + replicate,
                    schedule=BRANCH if common else WHOLE,
                    initial_model=trunk_model if common else None,
                ),
            ),
        )
        for replicate in range(settings.replicates)
    ]
    if not common:
        return list(replicates)
    trunk = dataclasses.replace(base, schedule=TRUNK, threads=whole.threads)
    return [(None, budgeted(common, whole, trunk)), *replicates]


def _train_all(context: StageContext, experiment: str) -> list[Trained]:
    root = context.warehouse.home.models / experiment
    requests = population_requests(context, tokens_folder(context, context.recipe), root / "trunk")
    trunk = [request for request in requests if request[0] is None]
    members = [request for request in requests if request[0] is not None]
    n_fleets = 2 if trunk else 1
    trained = _train(trunk, 1, experiment, root, _part(context.progress, 0, n_fleets))
    return trained + _train(
        members, _fleet(context).at_once, experiment, root, _part(context.progress, n_fleets - 1, n_fleets)
    )


def _train(
    requests: Sequence[tuple[int | None, TrainingRequest]],
    at_once: int,
    experiment: str,
    root: Path,
    progress: Progress,
) -> list[Trained]:
    """Carry out some of the requests; each finished training is stored at once."""
    run_names = ["trunk" if replicate is None else f"replicate-{replicate}" for replicate, _ in requests]
    run_dirs = [fetched_folder(root / name) for name in run_names]

    def store(number: int) -> None:
        store_folder(run_dirs[number], without=OF_THE_TRAINING)

    trainings = [(request, run_dir) for (_, request), run_dir in zip(requests, run_dirs, strict=True)]
    results = run_trainings(trainings, at_once, progress, store)
    return [
        Trained(
            replicate, run_dir, result, content_id(experiment, name, bytes.fromhex(result.weights_sha256))
        )
        for (replicate, _), run_dir, name, result in zip(requests, run_dirs, run_names, results, strict=True)
    ]


def _part(progress: Progress, number: int, n_parts: int) -> Progress:
    """Progress of one of several parts of equal length."""

    def report(done: float, total: float, note: str) -> None:
        progress(number + done / max(total, 1), n_parts, note)

    return report


def _range_rows(trained: Trained) -> list[dict[str, object]]:
    ranges = json.loads((trained.run_dir / "ranges.json").read_bytes())
    return [
        {
            "checkpoint_id": trained.checkpoint_id,
            "shard_id": UUID(row["shard_id"]),
            "token_start": row["token_start"],
            "token_end": row["token_end"],
            "times": row["times"],
        }
        for row in ranges
    ]


def _metric_rows(trained: Trained, experiment: str) -> list[dict[str, object]]:
    lines = (trained.run_dir / "metrics.jsonl").read_text().splitlines()
    rows = []
    for metric in map(json.loads, lines):
        row = {name: metric.get(name) for name in METRIC.names}
        rows.append({**row, "experiment": experiment, "replicate": trained.replicate})
    return rows


def _record(
    connection: Connection, context: StageContext, experiment: str, population: Sequence[Trained]
) -> None:
    connection.execute("DELETE FROM models.training_metric WHERE experiment = ?", [experiment])
    trunk = next((trained for trained in population if trained.replicate is None), None)
    for trained in population:
        result = trained.result
        connection.execute("DELETE FROM models.checkpoint WHERE checkpoint_id = ?", [trained.checkpoint_id])
        connection.execute(
            "DELETE FROM models.checkpoint_parent WHERE checkpoint_id = ?", [trained.checkpoint_id]
        )
        connection.execute(
            "DELETE FROM models.checkpoint_range WHERE checkpoint_id = ?", [trained.checkpoint_id]
        )
        connection.execute(
            "DELETE FROM models.checkpoint_source WHERE checkpoint_id = ?", [trained.checkpoint_id]
        )
        connection.execute(
            query("record_checkpoint"),
            {
                "checkpoint_id": trained.checkpoint_id,
                "experiment": experiment,
                "recipe": context.settings.recipe,
                "kind": "trunk" if trained.replicate is None else "micromodel",
                "replicate": trained.replicate,
                "step": result.n_steps,
                "preset": result.preset,
                "n_parameters": result.n_parameters,
                "sha256": bytes.fromhex(result.weights_sha256),
                "bits_per_byte": result.validation_bits_per_byte,
                "seed": result.seed,
                "path": str(result.model.relative_to(context.warehouse.home.models)),
            },
        )
        if trunk and trained is not trunk:
            connection.execute(
                "INSERT INTO models.checkpoint_parent VALUES (?, ?, 'resume', 1.0)",
                [trained.checkpoint_id, trunk.checkpoint_id],
            )
        connection.register("consumed", arrow_table(RANGE, _range_rows(trained)))
        connection.execute("INSERT INTO models.checkpoint_range BY NAME FROM consumed")
        connection.register("logged", arrow_table(METRIC, _metric_rows(trained, experiment)))
        connection.execute("INSERT INTO models.training_metric BY NAME FROM logged")
    run_script(connection, "record_model_sources", {})


def run(context: StageContext) -> StageReport:
    """Train the population, or go on where an earlier run was stopped."""
    stage = version(context)
    if stage.up_to_date():
        last = stage.last()
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    experiment = experiment_name(stage)
    population = _train_all(context, experiment)
    with context.warehouse.write("recording micromodels") as connection:
        _record(connection, context, experiment, population)
        n_rows = scalar(
            connection,
            "SELECT count(*) FROM models.checkpoint WHERE experiment = ? AND kind = 'micromodel'",
            [experiment],
        )
        stage.record(connection, n_rows)
    members = [trained.result for trained in population if trained.replicate is not None]
    facts: dict[str, int | float | str] = {
        "experiment": experiment,
        "n_parameters": members[0].n_parameters,
        "n_tokens_trained": sum(trained.result.n_tokens for trained in population),
        "tokens_per_second": members[0].tokens_per_second,
        "validation_bits_per_byte": min(
            member.validation_bits_per_byte or float("inf") for member in members
        ),
        "compiled": f"{'yes' if members[0].compiled else 'no'}: {members[0].compiled_reason}",
        "dtype": members[0].dtype_reason,
    }
    return stage.report(n_rows, facts)
