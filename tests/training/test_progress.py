"""The line that a person reads while a training goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fakesmrt_models.training.progress import note, training_progress

LINE = {
    "step": 100, "n_steps": 400, "n_tokens": 819_200, "loss": 3.25, "train_bits_per_byte": 1.875,
    "bits_per_byte": None, "learning_rate": 0.02, "gradient_norm": 1.5, "tokens_per_second": 18_240.4,
    "utilisation": 0.471, "seconds": 50.0,
}  # fmt: skip


def metrics_file(folder: Path, *lines: dict[str, object]) -> Path:
    path = folder / "metrics.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_line_says_loss_speed_utilisation_and_the_time_left(tmp_path: Path) -> None:
    measured = LINE | {"step": 50, "bits_per_byte": 1.95}
    assert training_progress(metrics_file(tmp_path, measured, LINE)) == (
        100,
        400,
        "2:30 left, loss 3.25, 1.875 bits/B, unseen 1.950, 18k tok/s at 47%",
    )


def test_what_was_not_measured_is_left_out(tmp_path: Path) -> None:
    metrics = metrics_file(tmp_path, LINE | {"utilisation": None})
    assert training_progress(metrics) == (
        100,
        400,
        "2:30 left, loss 3.25, 1.875 bits/B, 18k tok/s",
    )


@pytest.mark.parametrize(("seconds", "left"), [(0.2, "0:00"), (3_570.0, "59:30"), (3_900.0, "1h05")])
def test_the_time_left_is_minutes_or_hours(seconds: float, left: str) -> None:
    assert note([LINE | {"step": 1, "n_steps": 2, "seconds": seconds}]).startswith(f"{left} left, ")


def test_there_is_nothing_to_say_before_the_first_whole_line(tmp_path: Path) -> None:
    path = metrics_file(tmp_path)
    path.write_text('{"step": 1')
    assert training_progress(path) is None
