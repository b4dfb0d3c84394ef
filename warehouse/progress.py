"""How long work reports that it advances. The floors above decide how it looks.

A stage calls ``progress(done, total, note)``: `done` and `total` in the stage's own unit (bytes, chunks,
tokens, steps), `note` a few words on what it is at.
"""

from collections.abc import Callable

Progress = Callable[[float, float, str], None]


def silent(done: float, total: float, note: str) -> None:
    """Report to nobody."""
    del done, total, note
