"""How far a training is, in a line for a person: read from its metrics file, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fakesmrt_models.training.metrics import read_metrics
from warehouse.progress import readable_seconds


def training_progress(metrics: Path) -> tuple[int, int, str] | None:
    """Steps done, steps in all, and a note, from a metrics file; None before its first line."""
    lines = list(read_metrics(metrics))
    return (lines[-1]["step"], lines[-1]["n_steps"], note(lines)) if lines else None


def note(lines: Sequence[dict[str, Any]]) -> str:
    """Time left, loss, bits a byte, speed, and utilisation where it was measured, from one line on."""
    last = lines[-1]
    unseen = [line["bits_per_byte"] for line in lines if line["bits_per_byte"] is not None]
    left = last["seconds"] / last["step"] * (last["n_steps"] - last["step"])
    parts = [
        f"{readable_seconds(left)} left",
        f"loss {last['loss']:.3f}",
        f"{last['train_bits_per_byte']:.3f} bits a byte" + (f" (unseen {unseen[-1]:.3f})" if unseen else ""),
        f"{last['tokens_per_second']:,.0f} tokens/s",
        *([] if last["utilisation"] is None else [f"{last['utilisation']:.0%} of the matmul peak"]),
    ]
    return ", ".join(parts)
