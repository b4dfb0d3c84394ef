"""How far a training is, in a line for a person: read from its metrics file, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fakesmrt_models.training.metrics import read_metrics


def training_progress(metrics: Path) -> tuple[int, int, str] | None:
    """Steps done, steps in all, and a note, from a metrics file; None before its first line."""
    lines = list(read_metrics(metrics))
    return (lines[-1]["step"], lines[-1]["n_steps"], note(lines)) if lines else None


def note(lines: Sequence[dict[str, Any]]) -> str:
    """Time left, loss, bits a byte (B), speed, and utilisation where it was measured, short enough for 80 columns."""
    last = lines[-1]
    unseen = [line["bits_per_byte"] for line in lines if line["bits_per_byte"] is not None]
    left = last["seconds"] / last["step"] * (last["n_steps"] - last["step"])
    parts = [
        f"{_clock(left)} left",
        f"loss {last['loss']:.2f}",
        f"{last['train_bits_per_byte']:.3f} bits/B",
        *([f"unseen {unseen[-1]:.3f}"] if unseen else []),
        f"{_thousands(last['tokens_per_second'])} tok/s"
        + ("" if last["utilisation"] is None else f" at {last['utilisation']:.0%}"),
    ]
    return ", ".join(parts)


def _clock(seconds: float) -> str:
    """2:30 (minutes), 1h05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}"


def _thousands(number: float) -> str:
    """820, 18k."""
    return f"{number:.0f}" if number < 9_999.5 else f"{number / 1_000:.0f}k"
