"""The command ``fakesmrt``: registers the commands of the other files and turns every failure into one line.

Exit status: 0, 1 for a failure that names its cause and remedy, 2 for wrong usage, 130 when interrupted.
Heavy imports belong inside the commands: ``fakesmrt decode`` must not load Dagster or torch.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import sys
from dataclasses import dataclass

import typer

from warehouse.errors import FakesmrtError, explained

COMMANDS = {
    "init": "fakesmrt_assets.cli.home",
    "add": "fakesmrt_assets.cli.home",
    "evaluation": "fakesmrt_assets.cli.evaluation_sets",
    "build": "fakesmrt_assets.cli.build",
    "plan": "fakesmrt_assets.cli.build",
    "recipe": "fakesmrt_assets.cli.recipes",
    "ui": "fakesmrt_assets.cli.ui",
    "sql": "fakesmrt_assets.cli.query",
    "trace": "fakesmrt_assets.cli.tracing",
    "search": "fakesmrt_assets.cli.search",
    "show": "fakesmrt_assets.cli.search",
    "versions": "fakesmrt_assets.cli.versions",
    "serve": "fakesmrt_assets.cli.serve",
    "forget": "fakesmrt_assets.cli.forget",
    "store": "fakesmrt_assets.cli.store",
    "decode": "fakesmrt_assets.cli.cleanser",
    "dedup": "fakesmrt_assets.cli.dedup",
    "score": "fakesmrt_assets.cli.score",
    "train": "fakesmrt_assets.cli.training",
    "mix": "fakesmrt_assets.cli.evaluation",
    "eval": "fakesmrt_assets.cli.evaluation",
    "generate": "fakesmrt_assets.cli.models",
    "presets": "fakesmrt_assets.cli.presets",
    "export": "fakesmrt_assets.cli.export",
    "demo": "fakesmrt_assets.cli.demo",
    "doctor": "fakesmrt_assets.cli.home",
}
"""Each command or group of commands and the module that defines it, in the order of ``fakesmrt --help``."""

FUNCTION_NAMES = {"eval": "evaluate"}
"""Commands whose function may not bear their name."""


def application() -> typer.Typer:
    """The Typer application with every command."""
    app = typer.Typer(
        name="fakesmrt",
        help="From a folder of messy text files to a small language model, with the lineage of every token.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, module in COMMANDS.items():
        command = getattr(importlib.import_module(module), FUNCTION_NAMES.get(name, name))
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def run() -> int:
    """Run the command line; returns the exit status, with one line on stderr for a failure that has a name."""
    try:
        application()(standalone_mode=True)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except FakesmrtError as error:
        return _said(str(error))
    except BrokenPipeError:
        return 1
    except OSError as error:
        return _said(str(explained(error)))
    # The edge: whatever has no name yet is a fault of ours, and still no traceback for a user.
    except Exception as error:
        if os.environ.get("FAKESMRT_TRACEBACK"):
            raise
        return _said(
            f"Unexpected {type(error).__name__}: {error}. "
            "This is a fault of fakesmrt; FAKESMRT_TRACEBACK=1 shows where it lies."
        )
    return 0


def _said(message: str) -> int:
    sys.stderr.write(f"fakesmrt: {message}\n")
    return 1


@dataclass
class Ending:
    """How the process ends: registered first, so it comes after every other exit handler.

    The interpreter's own teardown is left out, because DuckDB's bindings complain there, on stderr and at length,
    of objects that the order of the teardown keeps alive. Nothing is left to be done at that point.
    """

    status: int = 1

    def leave(self) -> None:
        """End the process with `status`."""
        for stream in (sys.stdout, sys.stderr):
            # Whoever read our output may have gone already.
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(self.status)


def main() -> None:
    """Run the command line and end the process."""
    ending = Ending()
    atexit.register(ending.leave)
    ending.status = run()


if __name__ == "__main__":
    main()
