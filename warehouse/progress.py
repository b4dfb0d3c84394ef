"""How long work reports that it advances. The floors above decide how it looks.

A stage calls ``progress(done, total, note)``: `done` and `total` in the stage's own unit (bytes, chunks,
tokens, steps), `note` a few words on what it is at.
"""

from collections.abc import Callable

Progress = Callable[[float, float, str], None]


def silent(done: float, total: float, note: str) -> None:
    """Report to nobody."""
    del done, total, note


def readable_seconds(seconds: float) -> str:
    """0.4 s, 12 s, 3 min 20 s."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
