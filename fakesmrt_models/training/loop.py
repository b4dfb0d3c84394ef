"""The training loop, from a request and a folder to a model.

What lives here: one attempt in this process. What does not: the process around it (``run.py``) and who waits
for it (``supervisor.py``); what one step's gradient is (``gradient.py``), what is decided once (``plan.py``).
"""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median

import torch

from fakesmrt_models.training.averaging import average_copy, average_decay, update_average
from fakesmrt_models.training.budget import note_compiled, steps_within
from fakesmrt_models.training.data import Cursor
from fakesmrt_models.training.distributed import Processes
from fakesmrt_models.training.finishing import finished
from fakesmrt_models.training.gradient import Gradient, clip, step_gradient
from fakesmrt_models.training.loss import loss_function
from fakesmrt_models.training.metrics import Metric
from fakesmrt_models.training.optimizer import Optimizer
from fakesmrt_models.training.plan import Plan, first_plan, require_same_processor, with_steps
from fakesmrt_models.training.prerequisites import require_prerequisites
from fakesmrt_models.training.record import Record, opened_record
from fakesmrt_models.training.request import TrainingRequest, TrainingResult, request_fingerprint
from fakesmrt_models.training.resume import Position, SavedState, latest_state, save_state
from fakesmrt_models.training.samples import generated_samples
from fakesmrt_models.training.schedule import learning_rate_factor
from fakesmrt_models.training.starting import first_model, make_deterministic
from fakesmrt_models.training.token_files import training_stream
from fakesmrt_models.training.utilisation import flops_per_token, utilisation
from fakesmrt_models.training.validation import Validation
from warehouse.errors import TrainingFailed
from warehouse.tokens.shards import TOKENIZER_FILE
from warehouse.tokens.tokenizer import Tokenizer

MEASURED_SECONDS = 10.0
MEASURED_SHARE = 0.1
FEWEST_MEASURED_STEPS = 2

ENDLESS = 1 << 40
"""Steps of a training whose end is not known yet."""

ALONE = Processes()


class Trainer:
    """One attempt at a training: the model, its optimiser and where they stand."""

    def __init__(
        self,
        request: TrainingRequest,
        run_dir: Path,
        processes: Processes = ALONE,
        begin: float | None = None,
    ) -> None:
        """Read the data; go on from the last checkpoint of this request, or begin.

        Args:
            request: what to train.
            run_dir: folder of the training; of a process with a rank above 0 its own scratch folder.
            processes: that train together.
            begin: when a time budget began, on the clock of `time.monotonic`; None for now.

        Raises:
            InvalidConfiguration: the folder holds another training, or the data do not fit the request.
        """
        self._budget_begin = time.monotonic() if begin is None else begin
        self.request = request
        self.run_dir = run_dir
        self.processes = processes
        require_prerequisites(request)
        fingerprint = request_fingerprint(request)
        saved = latest_state(run_dir, fingerprint)
        self.stream = training_stream(request)
        self.validation = Validation(request.tokens)
        make_deterministic(request.threads, request.seed)
        self.plan = self._first_plan(fingerprint) if saved is None else saved.plan
        require_same_processor(self.plan, request)
        self.model, self.optimizer, self.parent = first_model(request, self.plan.torch_dtype)
        self.average = None if request.ema_decay is None else average_copy(self.model)
        self.position = Position()
        if saved is not None:
            self._resume(saved)
        self.model.compute_dtype = self.plan.torch_dtype
        self.model.gradient_checkpointing = request.gradient_checkpointing
        self._loss = loss_function(self.model, compiled=self.plan.compiled, native=self.plan.native)
        self._parameters = list(self.model.parameters())
        self._saved_step = -1 if saved is None else saved.position.step
        self._begin = self._saved_at = 0.0
        self._timed_steps, self._timed_seconds = 0, 0.0

    def run(self, should_stop: Callable[[], bool]) -> bool:
        """Take the steps that are left.

        Args:
            should_stop: asked after every step; if true, a checkpoint is saved and the training left.

        Returns:
            Whether the training is at its end.

        Raises:
            TrainingFailed: the loss or a validation figure is not finite, or a checkpoint cannot be saved; the
                last one stays.
        """
        with self._record() as record:
            if self.plan.compiled:
                self._compile()
            self._begin = time.monotonic() - self.position.seconds
            if self.plan.n_steps == 0:
                self._choose_steps(record)
            self._save(record)
            stopping = False
            while not (stopping or self._has_ended()):
                self._step(record)
                stopping = should_stop()
                if stopping or self._is_saved():
                    self._save(record)
            self._save(record)
        if self.plan.compiled:
            note_compiled(self.request)
        return self._has_ended()

    def finish(self, attempts: int) -> TrainingResult:
        """Write the model, the account of its tokens and the result; warn of a model that knows nothing."""
        result = finished(self.request, self.run_dir, self._state(), self.stream, self.parent, attempts)
        measured, tokens_per_byte = result.validation_bits_per_byte, self.validation.tokens_per_byte
        if measured is None:
            measured, tokens_per_byte = result.train_bits_per_byte, self.stream.n_tokens / self.stream.n_bytes
        uniform = math.log2(self.model.config.vocab_size) * tokens_per_byte
        if measured > uniform:
            sys.stderr.write(
                f"fakesmrt: The model is worse than one that knows nothing ({measured:.4g} bits a byte, and "
                f"{uniform:.4g} with all tokens equally likely). Train with a lower learning rate, or longer.\n"
            )
        return result

    def _first_plan(self, fingerprint: str) -> Plan:
        """What binds all attempts and all processes."""
        return Plan(**self.processes.agreed(asdict(first_plan(self.request, fingerprint))))

    def _record(self) -> AbstractContextManager[Record | None]:
        """Where this process writes metrics and samples, if it does."""
        if self.processes.rank:
            return contextlib.nullcontext()
        return opened_record(self.request, self.run_dir, self.position)

    def _has_ended(self) -> bool:
        return self.position.step >= self.plan.n_steps or self.position.ended_early

    def _step(self, record: Record | None) -> None:
        """One step of the optimiser, and what is written of it."""
        begin = time.monotonic()
        step = self.position.step
        factor = self._factor(step, self.plan.n_steps)
        gradient = self._update(step, self.position.cursor, factor)
        self._note(gradient, factor, time.monotonic() - begin, record)

    def _update(self, step: int, cursor: Cursor, factor: float) -> Gradient:
        """Update the model after `step` steps by the batch at `cursor`."""
        request = self.request
        n_sequences = request.batch_tokens // request.sequence_length
        inputs, targets, _ = self.stream.batch(cursor, n_sequences, request.sequence_length)
        gradient = step_gradient(
            self._loss, self._parameters, inputs, targets, request.accumulation, self.processes
        )
        if gradient.fault is not None:
            raise self._failure(f"{gradient.fault} at step {step + 1}", factor)
        if request.clip_norm is not None:
            clip(self._parameters, gradient, request.clip_norm)
        self.optimizer.step(factor)
        if self.average is not None and request.ema_decay is not None:
            update_average(self.average, self.model, average_decay(step, request.ema_decay))
        return gradient

    def _factor(self, step: int, n_steps: int) -> float:
        return learning_rate_factor(step, n_steps, self.request.schedule)

    def _note(self, gradient: Gradient, factor: float, seconds: float, record: Record | None) -> None:
        """Count a step that took `seconds`, and log it if it is a logged one."""
        self._timed_steps += 1
        self._timed_seconds += seconds
        position = self.position
        self.position = replace(
            position,
            step=position.step + 1,
            cursor=self.stream.advanced(position.cursor, self.request.batch_tokens),
            loss_sum=position.loss_sum + gradient.loss,
            n_losses=position.n_losses + 1,
        )
        if self.plan.is_logged(self.position.step):
            self._log(gradient, factor, record)

    def _log(self, gradient: Gradient, factor: float, record: Record | None) -> None:
        """Write a line of metrics, and measure the model if it is time."""
        position, request = self.position, self.request
        loss = position.loss_sum / position.n_losses
        train = loss * self.stream.n_tokens / self.stream.n_bytes / math.log(2)
        measured = self._evaluate(factor) if self.plan.is_evaluated(position.step) else None
        self.position = replace(self.position, loss_sum=0.0, n_losses=0, train_bits_per_byte=train)
        if record is None:
            return
        speed = self._timed_steps * request.batch_tokens / self._timed_seconds
        work = flops_per_token(self.model.config, request.sequence_length)
        record.log(
            Metric(
                step=position.step,
                n_steps=self.plan.n_steps,
                n_tokens=position.step * request.batch_tokens,
                loss=loss,
                train_bits_per_byte=train,
                bits_per_byte=measured,
                learning_rate=factor * request.optimizer.matrix_learning_rate,
                gradient_norm=gradient.norm,
                tokens_per_second=speed,
                utilisation=utilisation(speed, work, self.plan.matmul_peak, self.processes.world_size),
                seconds=time.monotonic() - self._begin,
            )
        )
        self._timed_steps, self._timed_seconds = 0, 0.0
        if self.plan.is_evaluated(position.step):
            self._sample(record)

    def _evaluate(self, factor: float) -> float | None:
        """Measure the weights that would be the finished ones, and judge whether to go on."""
        here = self.processes.rank == 0
        model = self.average or self.model
        measured = self.processes.agreed(self.validation.bits_per_byte(model) if here else None)
        if measured is None:
            return None
        position, rule = self.position, self.request.early_stop
        if not math.isfinite(measured):
            raise self._failure(f"The validation figure is {measured} after step {position.step}", factor)
        best = position.best_bits_per_byte
        improved = best is None or measured < best - (rule.least_gain if rule else 0.0)
        n_since_best = 0 if improved else position.n_since_best + 1
        self.position = replace(
            position,
            validation_bits_per_byte=measured,
            best_bits_per_byte=measured if improved else best,
            best_step=position.step if improved else position.best_step,
            n_since_best=n_since_best,
            ended_early=rule is not None and n_since_best >= rule.patience,
        )
        return measured

    def _sample(self, record: Record) -> None:
        """Write what the model continues the prompts with."""
        request = self.request
        if request.sample_prompts:
            tokenizer = Tokenizer.from_file(request.tokens / TOKENIZER_FILE)
            model, step = self.average or self.model, self.position.step
            record.sample(generated_samples(model, tokenizer, request.sample_prompts, step, request.seed))

    def _is_saved(self) -> bool:
        """Whether the step that was taken ends in a checkpoint: the best so far, a regular one, or by time."""
        position, keep_every = self.position, self.request.keep_every
        return (
            position.step == position.best_step
            or (keep_every is not None and position.step % keep_every == 0)
            or time.monotonic() - self._saved_at > self.request.checkpoint_seconds
        )

    def _save(self, record: Record | None) -> None:
        """Save a checkpoint, if this process does and there is none of this step.

        Raises:
            TrainingFailed: the weights are not finite, or the disk refuses; the checkpoints before stay.
        """
        self._saved_at = time.monotonic()
        if record is None or self.position.step == self._saved_step:
            return
        if not all(bool(torch.isfinite(parameter).all()) for parameter in self._parameters):
            step = self.position.step
            factor = self._factor(step - 1, self.plan.n_steps)
            raise self._failure(f"The weights are not finite after step {step}", factor)
        self.position = replace(
            self.position, seconds=self._saved_at - self._begin, metrics_position=record.position()
        )
        save_state(self.run_dir, self._state(), self.request.keep_every)
        self._saved_step = self.position.step

    def _failure(self, cause: str, factor: float) -> TrainingFailed:
        return TrainingFailed(
            f"{cause} with learning rate {factor * self.request.optimizer.matrix_learning_rate:.3g}",
            "Train with a lower learning rate, in another folder",
        )

    def _state(self) -> SavedState:
        return SavedState(
            plan=self.plan,
            position=self.position,
            weights=self.model.state_dict(),
            average={} if self.average is None else self.average.state_dict(),
            optimizer=self.optimizer.state(),
            generator=torch.get_rng_state(),
        )

    def _resume(self, saved: SavedState) -> None:
        self.position = saved.position
        self.model.load_state_dict(saved.weights)
        if self.average is not None:
            self.average.load_state_dict(saved.average)
        self.optimizer = Optimizer(self.model, self.request.optimizer, self.plan.torch_dtype)
        self.optimizer.load_state(dict(saved.optimizer))
        torch.set_rng_state(saved.generator)

    def _restart(self) -> None:
        """Forget every step."""
        model, optimizer, _ = first_model(self.request, self.plan.torch_dtype)
        self.model.load_state_dict(model.state_dict())
        self.optimizer = Optimizer(self.model, self.request.optimizer, self.plan.torch_dtype)
        self.optimizer.load_state(optimizer.state())
        if self.average is not None:
            self.average.load_state_dict(model.state_dict())
        torch.manual_seed(self.request.seed)

    def _compile(self) -> None:
        """Have the step compiled before its time is measured; no trace is left."""
        generator = torch.get_rng_state()
        request = self.request
        n_sequences = request.batch_tokens // request.sequence_length
        inputs, targets, _ = self.stream.batch(Cursor(), n_sequences, request.sequence_length)
        step_gradient(self._loss, self._parameters, inputs, targets, request.accumulation, self.processes)
        self.optimizer.forget_gradients()
        torch.set_rng_state(generator)

    def _choose_steps(self, record: Record | None) -> None:
        """Turn a time budget into a number of steps, by taking some; they count where the schedule allows it."""
        budget = 60.0 * (self.request.minutes or 0.0)
        taken: list[tuple[Gradient, float]] = []
        while len(taken) < FEWEST_MEASURED_STEPS or _total(taken) < min(
            MEASURED_SECONDS, MEASURED_SHARE * budget
        ):
            begin = time.monotonic()
            step = len(taken)
            cursor = self.stream.advanced(Cursor(), step * self.request.batch_tokens)
            gradient = self._update(step, cursor, self._factor(step, ENDLESS))
            taken.append((gradient, self.processes.agreed(time.monotonic() - begin)))
        self._plan_steps(budget, median(seconds for _, seconds in taken), len(taken))
        if not self._were_as_planned(len(taken)):
            self._restart()
            return
        for step, (gradient, seconds) in enumerate(taken):
            self._note(gradient, self._factor(step, self.plan.n_steps), seconds, record)

    def _plan_steps(self, budget: float, seconds_per_step: float, n_taken: int) -> None:
        """Fill what is left of `budget` seconds with steps and evaluations; `n_taken` steps are taken."""
        begin = time.monotonic()
        if self.processes.rank == 0:
            self.validation.bits_per_byte(self.model)
        evaluation = time.monotonic() - begin
        left = budget - (time.monotonic() - self._budget_begin)
        n_evaluations = max(1, round(left / self.request.evaluation_seconds))
        n_more, reason = steps_within(left - n_evaluations * evaluation, seconds_per_step)
        n_steps, reason = self.processes.agreed((n_taken + n_more, reason))
        interval = self.request.evaluation_seconds / seconds_per_step
        self.plan = with_steps(self.plan, n_steps, reason, interval)

    def _were_as_planned(self, n_taken: int) -> bool:
        """Whether the first `n_taken` steps are those that the plan, made after them, would have taken."""
        keep_every = self.request.keep_every or ENDLESS
        return all(
            self._factor(step, ENDLESS) == self._factor(step, self.plan.n_steps) for step in range(n_taken)
        ) and not any(self.plan.is_evaluated(step) or step % keep_every == 0 for step in range(1, n_taken))


def _total(taken: list[tuple[Gradient, float]]) -> float:
    return sum(seconds for _, seconds in taken)
