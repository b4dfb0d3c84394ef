"""Work in a process of its own: its memory goes when it is done, and torch never enters the process of Dagster.

What lives here: starting such a process, hearing of its progress, taking its result. What does not: the work.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from warehouse.errors import FakesmrtError, TrainingFailed, explained
from warehouse.processes import start_worker
from warehouse.progress import Progress

Result = TypeVar("Result")


def _work(
    connection: Connection, parent: int, function: Callable[..., Any], arguments: dict[str, Any]
) -> None:
    """The process: everything that it has to say goes through `connection`."""
    start_worker(parent)

    def progress(done: float, total: float, note: str) -> None:
        connection.send(("progress", (done, total, note)))

    try:
        connection.send(("result", function(**arguments, progress=progress)))
    except FakesmrtError as error:
        connection.send(("error", error))
    except OSError as error:
        connection.send(("error", explained(error)))


def run_apart(progress: Progress, function: Callable[..., Result], **arguments: object) -> Result:
    """Call ``function(**arguments, progress=…)`` in a fresh process.

    Args:
        progress: hears what the function reports.
        function: of a module's top level.
        arguments: what can be sent to another process, as must the result.

    Raises:
        FakesmrtError: what the function raised.
        TrainingFailed: the process died without an answer, for want of memory for instance.
    """
    context = get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sending, os.getpid(), function, arguments), daemon=True)
    process.start()
    sending.close()
    try:
        while True:
            kind, value = receiving.recv()
            if kind == "progress":
                progress(*value)
            elif kind == "error":
                raise value
            else:
                return value  # type: ignore[no-any-return]  # the pipe carries what `function` returned
    except EOFError:
        process.join()
        raise TrainingFailed(
            f"The process that ran {function.__name__} ended with status {process.exitcode}",
            "Look for its last words above; if memory was short, close other programs and build again",
        ) from None
    finally:
        process.terminate()
        process.join()
        receiving.close()
