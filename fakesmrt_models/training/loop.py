"""The training loop, from a request and a folder to a model.

What lives here: one attempt in this process. What does not: the process around it (``run.py``) and who waits
for it (``supervisor.py``).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor

from fakesmrt_models.architecture.config import n_parameters
from fakesmrt_models.architecture.transformer import Transformer, initialised
from fakesmrt_models.evaluation.bits_per_byte import chunk_nats
from fakesmrt_models.training.budget import (
    choose_compilation,
    choose_dtype,
    expected_seconds,
    note_compiled,
    seconds_per_step,
    steps_within,
)
from fakesmrt_models.training.checkpoint import load_model, read_optimizer_state, save_model
from fakesmrt_models.training.data import Cursor, TokenStream, validation_sample
from fakesmrt_models.training.distributed import Processes
from fakesmrt_models.training.loss import LossFunction, choose_native, loss_function
from fakesmrt_models.training.metrics import METRICS_FILE, Metric, MetricsLog
from fakesmrt_models.training.model_folder import canonical_json, model_folder
from fakesmrt_models.training.optimizer import Optimizer
from fakesmrt_models.training.request import (
    RESULT_FILE,
    TrainingRequest,
    TrainingResult,
    budgeted_steps,
    request_config,
    request_fingerprint,
)
from fakesmrt_models.training.resume import (
    Plan,
    Position,
    SavedState,
    latest_state,
    save_state,
)
from fakesmrt_models.training.schedule import learning_rate_factor
from warehouse.errors import InvalidConfiguration, TrainingFailed
from warehouse.files import write_bytes_whole
from warehouse.tokens.shards import TOKENIZER_FILE, open_split

MODEL = "model"
RANGES_FILE = "ranges.json"

N_EVALUATIONS = 4
"""Measurements on the validation sample, evenly spread, the last at the end; in short trainings only that."""

SHORT_SECONDS = 60.0

VALIDATION_TOKENS = 32_768
"""About 100 kB of text: half a percent of noise between trainings on the same shards."""

LOGGED_LINES = 200
"""Lines of metrics that a training leaves behind, about."""

ALONE = Processes()


class Trainer:
    """One attempt at a training: the model, its optimiser and where they stand."""

    def __init__(self, request: TrainingRequest, run_dir: Path, processes: Processes = ALONE) -> None:
        """Read the data; go on from the last checkpoint of this request, or begin.

        Raises:
            InvalidConfiguration: the folder holds another training, or the data do not fit the model.
        """
        begin = time.monotonic()
        self.request = request
        self.run_dir = run_dir
        self.processes = processes
        self.fingerprint = request_fingerprint(request)
        saved = latest_state(run_dir, self.fingerprint)
        self.stream = _stream(request)
        self.validation_chunks, self.validation_bytes = validation_sample(request.tokens, VALIDATION_TOKENS)
        self.n_evaluations = N_EVALUATIONS if expected_seconds(request) >= SHORT_SECONDS else 1
        _make_deterministic(request.threads)
        self.model, self.optimizer, self.parent = _first_model(request)
        self.position = Position()
        if saved is None:
            self.plan = _plan(request, self.fingerprint)
            self.loss_function = self._loss_function()
            if request.minutes is not None:
                self.plan = self._with_steps(60.0 * request.minutes, begin)
            self._save(0)
        else:
            self.plan = saved.plan
            self._resume(saved)
            self.loss_function = self._loss_function()

    def run(self, should_stop: Callable[[], bool]) -> bool:
        """Take the steps that are left.

        Args:
            should_stop: asked after every step; if true, a checkpoint is saved and the training left.

        Returns:
            Whether the training is at its end.

        Raises:
            TrainingFailed: the loss is not finite; the last checkpoint stays.
        """
        with MetricsLog(self.run_dir / METRICS_FILE, self.position.metrics_position) as log:
            saved_at = logged_at = time.monotonic()
            while self.position.step < self.plan.n_steps:
                begin = time.monotonic()
                self._step()
                if self._is_logged():
                    self._log(log, time.monotonic() - logged_at)
                    logged_at = time.monotonic()
                self.position = replace(
                    self.position, seconds=self.position.seconds + time.monotonic() - begin
                )
                stopping = should_stop()
                if stopping or time.monotonic() - saved_at > self.request.checkpoint_seconds:
                    self._save(log.position())
                    saved_at = time.monotonic()
                if stopping:
                    break
            self._save(log.position())
        if self.plan.compiled:
            note_compiled(self.request)
        return self.position.step >= self.plan.n_steps

    def finish(self, attempts: int) -> TrainingResult:
        """Write the model, the account of its tokens and the result."""
        request, position, n_tokens = self.request, self.position, self._n_tokens()
        # The last target is read too, one token after the last input.
        ranges = [asdict(row) for row in self.stream.consumed_ranges(n_tokens + 1)]
        write_bytes_whole(self.run_dir / RANGES_FILE, canonical_json(ranges))
        facts = {
            "preset": request.preset,
            "n_parameters": n_parameters(self.model.config),
            "n_steps": self.plan.n_steps,
            "n_tokens": n_tokens,
            "seconds": position.seconds,
            "tokens_per_second": n_tokens / position.seconds,
            "train_bits_per_byte": position.train_bits_per_byte,
            "validation_bits_per_byte": position.validation_bits_per_byte,
            "seed": request.seed,
            "bootstrap_seed": request.bootstrap_seed,
            "parent": self.parent,
            "attempts": attempts,
            "learning_rate": request.optimizer.matrix_learning_rate,
            **{name: value for name, value in asdict(self.plan).items() if name != "n_steps"},
        }
        manifest = save_model(
            self.run_dir / MODEL,
            self.model,
            self.model.config,
            facts | {"data": self.stream.contents(), "request_values": json.loads(request.to_json())},
            request.tokens / TOKENIZER_FILE,
            self.optimizer.state() if request.schedule.decay_fraction == 0 else None,
        )
        result = TrainingResult(
            model=self.run_dir / MODEL, weights_sha256=manifest["weights_sha256"], **facts
        )
        write_bytes_whole(self.run_dir / RESULT_FILE, result.to_json())
        return result

    def _step(self) -> None:
        """One step of the optimiser, on the next batch."""
        inputs, targets, cursor = self._next_batch()
        loss = self.loss_function(inputs, targets)
        value = float(loss.detach())
        factor = self._learning_rate_factor()
        if not math.isfinite(value):
            rate = factor * self.request.optimizer.matrix_learning_rate
            raise TrainingFailed(
                f"The loss is {value} at step {self.position.step + 1} with learning rate {rate:.3g}",
                "Train with a lower learning rate; the last good checkpoint is kept",
            )
        torch.autograd.backward(loss)
        self.optimizer.step(factor)
        self.position = replace(
            self.position,
            step=self.position.step + 1,
            cursor=cursor,
            loss_sum=self.position.loss_sum + value,
            n_losses=self.position.n_losses + 1,
        )

    def _loss_function(self) -> LossFunction:
        """Mean cross-entropy in nats a token, as the plan says."""
        dtype, reason = choose_dtype()
        if str(dtype) != f"torch.{self.plan.dtype}":
            raise TrainingFailed(
                f"The training was begun in {self.plan.dtype}, but {reason}",
                "Go on where it was begun, or begin anew",
            )
        self.model.compute_dtype = dtype
        return loss_function(
            self.model, compiled=self.plan.compiled, native=choose_native(self.model.config)[0]
        )

    def _next_batch(self) -> tuple[Tensor, Tensor, Cursor]:
        n_sequences = self.request.batch_tokens // self.request.sequence_length
        return self.stream.batch(self.position.cursor, n_sequences, self.request.sequence_length)

    def _learning_rate_factor(self) -> float:
        return learning_rate_factor(self.position.step, self.plan.n_steps, self.request.schedule)

    def _n_tokens(self) -> int:
        return self.position.step * self.request.batch_tokens

    def _is_logged(self) -> bool:
        """Every so many steps, at every evaluation and at the end: a function of the step alone."""
        every = max(1, self.plan.n_steps // LOGGED_LINES)
        return self.position.step % every == 0 or self._is_evaluated()

    def _is_evaluated(self) -> bool:
        every = math.ceil(self.plan.n_steps / self.n_evaluations)
        return self.position.step % every == 0 or self.position.step == self.plan.n_steps

    def _log(self, log: MetricsLog, seconds: float) -> None:
        """Write a line of metrics; `seconds` have passed since the line before."""
        position = self.position
        loss = position.loss_sum / position.n_losses
        n_new_tokens = position.n_losses * self.request.batch_tokens
        train = loss * self.stream.n_tokens / self.stream.n_bytes / math.log(2)
        measured = self._validate() if self._is_evaluated() else None
        rate = learning_rate_factor(position.step - 1, self.plan.n_steps, self.request.schedule)
        log.append(
            Metric(
                step=position.step,
                n_steps=self.plan.n_steps,
                n_tokens=self._n_tokens(),
                loss=loss,
                train_bits_per_byte=train,
                bits_per_byte=measured,
                learning_rate=rate * self.request.optimizer.matrix_learning_rate,
                tokens_per_second=n_new_tokens / seconds,
                seconds=position.seconds,
            )
        )
        self.position = replace(
            position, loss_sum=0.0, n_losses=0, train_bits_per_byte=train,
            validation_bits_per_byte=position.validation_bits_per_byte if measured is None else measured,
        )  # fmt: skip

    def _validate(self) -> float | None:
        """Bits per byte on the validation sample, in float32; None where there is no validation split."""
        if not self.validation_chunks:
            return None
        dtype, self.model.compute_dtype = self.model.compute_dtype, torch.float32
        context = self.model.config.context_length
        nats = chunk_nats([self.model], self.validation_chunks, context=context, stride=max(1, context // 2))
        self.model.compute_dtype = dtype
        self.model.train()
        return float(nats.sum()) / math.log(2) / self.validation_bytes

    def _save(self, metrics_position: int) -> None:
        self.position = replace(self.position, metrics_position=metrics_position)
        save_state(self.run_dir, self.plan, self.position, self.model.state_dict(), self.optimizer.state())

    def _resume(self, saved: SavedState) -> None:
        self.position = saved.position
        self.model.load_state_dict(saved.model)
        self.optimizer = Optimizer(self.model, self.request.optimizer, choose_dtype()[0])
        self.optimizer.load_state(saved.optimizer)
        torch.set_rng_state(saved.generator)

    def _with_steps(self, budget: float, begin: float) -> Plan:
        """Turn a time budget in seconds into a number of steps, by taking some and then taking them back."""
        weights = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        state = {name: tensor.clone() for name, tensor in self.optimizer.state().items()}
        inputs, targets, _ = self._next_batch()

        def step() -> None:
            torch.autograd.backward(self.loss_function(inputs, targets))
            self.optimizer.step(1.0)

        per_step = seconds_per_step(step, budget)
        self.model.load_state_dict(weights)
        self.optimizer = Optimizer(self.model, self.request.optimizer, choose_dtype()[0])
        self.optimizer.load_state(state)
        validating = time.monotonic()
        self._validate()
        evaluations = self.n_evaluations * (time.monotonic() - validating)
        n_steps, reason = steps_within(budget - (time.monotonic() - begin) - evaluations, per_step)
        return replace(self.plan, n_steps=n_steps, n_steps_reason=reason)


def _stream(request: TrainingRequest) -> TokenStream:
    shards = open_split(request.tokens, "train", verify=True)
    n_words, known = shards[0].manifest.vocab_size, request_config(request).vocab_size
    if n_words > known:
        raise InvalidConfiguration(
            f"The tokens have a vocabulary of {n_words}, the preset {request.preset} one of {known}",
            "Choose another preset, or make tokens with a smaller vocabulary",
        )
    return TokenStream(shards, request.seed, request.bootstrap_seed)


def _first_model(request: TrainingRequest) -> tuple[Transformer, Optimizer, str | None]:
    """The model before its first step, new or the parent's; its optimiser; hash of the parent's weights."""
    dtype, _ = choose_dtype()
    if request.initial_model is None:
        model = initialised(request_config(request), request.seed)
        return model, Optimizer(model, request.optimizer, dtype), None
    folder = model_folder(request.initial_model)
    loaded = load_model(folder)
    if loaded.config != request_config(request):
        raise InvalidConfiguration(
            f"{folder} does not have the shape of the preset {request.preset}", "Name the preset of the model"
        )
    if loaded.tokenizer_file.read_bytes() != (request.tokens / TOKENIZER_FILE).read_bytes():
        raise InvalidConfiguration(
            f"{folder} has another tokenizer than the tokens", "Train on its own tokens"
        )
    model = loaded.model.train()
    optimizer = Optimizer(model, request.optimizer, dtype)
    optimizer.load_state(read_optimizer_state(folder) or {})
    return model, optimizer, str(loaded.manifest["weights_sha256"])


def _plan(request: TrainingRequest, fingerprint: str) -> Plan:
    """What binds all attempts; a time budget has no number of steps yet."""
    dtype, dtype_reason = choose_dtype()
    compiled, compiled_reason = choose_compilation(request)
    return Plan(
        request=fingerprint,
        n_steps=budgeted_steps(request) or 0,
        n_steps_reason="as requested",
        dtype=str(dtype).removeprefix("torch."),
        dtype_reason=dtype_reason,
        compiled=compiled,
        compiled_reason=compiled_reason,
    )


def _make_deterministic(threads: int) -> None:
    """Equal sums in every run: fixed threads, and no additions in the order in which threads arrive."""
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # That switch would also fill every new tensor, which costs time and changes nothing here.
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010  # torch types it not
    torch.manual_seed(0)
