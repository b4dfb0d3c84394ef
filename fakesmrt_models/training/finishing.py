"""What a training leaves: the model's folder, the account of its tokens, the result."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from fakesmrt_models.architecture.config import n_parameters
from fakesmrt_models.architecture.transformer import Transformer
from fakesmrt_models.training.checkpoint import save_model
from fakesmrt_models.training.data import TokenStream
from fakesmrt_models.training.model_folder import canonical_json
from fakesmrt_models.training.request import (
    RESULT_FILE,
    TrainingRequest,
    TrainingResult,
    request_config,
)
from fakesmrt_models.training.resume import CHECKPOINTS, Position, SavedState, folder_name, read_state
from warehouse.errors import CorruptArtefact
from warehouse.files import write_bytes_whole
from warehouse.tokens.shards import TOKENIZER_FILE

MODEL = "model"
RANGES_FILE = "ranges.json"


def finished(
    request: TrainingRequest,
    run_dir: Path,
    end: SavedState,
    stream: TokenStream,
    parent: str | None,
    attempts: int,
) -> TrainingResult:
    """Write what the training in `run_dir` leaves.

    The finished weights are those of the last step; where early stopping was asked for, those of the step with the
    lowest validation figure, unless its checkpoint is damaged. They are the moving average, with the raw weights
    beside it, where one was asked for.

    Args:
        request: what was asked.
        run_dir: folder of the training.
        end: the training's last state.
        stream: the data.
        parent: SHA-256 of the weights that it started from, or None.
        attempts: processes that worked on it.
    """
    chosen, damage = _chosen(request, run_dir, end)
    position, n_tokens = chosen.position, chosen.position.step * request.batch_tokens
    # The last target is read too, one token after the last input.
    ranges = [asdict(row) for row in stream.consumed_ranges(n_tokens + 1)]
    write_bytes_whole(run_dir / RANGES_FILE, canonical_json(ranges))
    facts = _facts(request, end, parent)
    facts |= {
        "n_steps_reason": facts["n_steps_reason"] + damage,
        "n_steps": position.step,
        "n_tokens": n_tokens,
        "train_bits_per_byte": position.train_bits_per_byte,
        "validation_bits_per_byte": position.validation_bits_per_byte,
        "attempts": attempts,
    }
    _drop_unfinished(run_dir)
    manifest = save_model(
        run_dir / MODEL,
        _model(request, chosen.average or chosen.weights),
        request_config(request),
        facts | {"data": stream.contents(), "request_values": json.loads(request.to_json())},
        request.tokens / TOKENIZER_FILE,
        optimizer_state=dict(chosen.optimizer) if request.schedule.decay_fraction == 0 else None,
        raw_weights=dict(chosen.weights) if chosen.average else None,
    )
    result = TrainingResult(model=run_dir / MODEL, weights_sha256=manifest["weights_sha256"], **facts)
    write_bytes_whole(run_dir / RESULT_FILE, result.to_json())
    return result


def _chosen(request: TrainingRequest, run_dir: Path, end: SavedState) -> tuple[SavedState, str]:
    """The state whose weights are the finished ones, and what is to be said where it is not the best one."""
    best_step = end.position.best_step
    if request.early_stop is None or best_step in {None, end.position.step}:
        return end, ""
    try:
        return read_state(run_dir / CHECKPOINTS / folder_name(best_step or 0)), ""
    except CorruptArtefact as error:
        # The steps were taken: a sound model that is not the best is better than none.
        sys.stderr.write(f"fakesmrt: {error.cause}; the model is that of the last step\n")
        return end, f"; the checkpoint of step {best_step} is damaged, so the model is that of the last step"


def _facts(request: TrainingRequest, end: SavedState, parent: str | None) -> dict[str, Any]:
    """What holds for the training whichever of its weights are chosen."""
    position, plan = end.position, end.plan
    return {
        "preset": request.preset,
        "n_parameters": n_parameters(request_config(request)),
        "steps_taken": position.step,
        "seconds": position.seconds,
        "tokens_per_second": position.step * request.batch_tokens / position.seconds,
        "seed": request.seed,
        "bootstrap_seed": request.bootstrap_seed,
        "parent": parent,
        "learning_rate": request.optimizer.matrix_learning_rate,
        "request": plan.request,
        "dtype": plan.dtype,
        "dtype_reason": plan.dtype_reason,
        "compiled": plan.compiled,
        "compiled_reason": plan.compiled_reason,
        "native": plan.native,
        "native_reason": plan.native_reason,
        "n_steps_reason": _steps_reason(plan.n_steps_reason, position),
    }


def _steps_reason(planned: str, position: Position) -> str:
    if not position.ended_early:
        return planned
    return (
        f"stopped early after {position.step} steps: the lowest figure is that of step {position.best_step}"
    )


def _model(request: TrainingRequest, weights: Mapping[str, Tensor]) -> Transformer:
    model = Transformer(request_config(request))
    model.load_state_dict(weights)
    return model


def _drop_unfinished(run_dir: Path) -> None:
    """Remove what killed processes left of model folders; nobody else writes here."""
    for unfinished in run_dir.glob(f".*.{MODEL}"):
        shutil.rmtree(unfinished)
