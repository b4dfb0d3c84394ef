"""The command ``fakesmrt``: registers the commands of the other files and turns every failure into one line.

Exit status: 0, 1 for a failure that names its cause and remedy, 2 for wrong usage, 130 when interrupted.
Heavy imports belong inside the commands: ``fakesmrt decode`` must not load Dagster or torch.
"""

from __future__ import annotations

import errno
import importlib
import sys

import typer

from warehouse.errors import FakesmrtError

COMMANDS = {
    "init": "fakesmrt_assets.cli.home",
    "add": "fakesmrt_assets.cli.home",
    "build": "fakesmrt_assets.cli.build",
    "plan": "fakesmrt_assets.cli.build",
    "ui": "fakesmrt_assets.cli.ui",
    "sql": "fakesmrt_assets.cli.query",
    "trace": "fakesmrt_assets.cli.query",
    "decode": "fakesmrt_assets.cli.cleanser",
    "dedup": "fakesmrt_assets.cli.dedup",
    "score": "fakesmrt_assets.cli.score",
    "train": "fakesmrt_assets.cli.models",
    "mix": "fakesmrt_assets.cli.evaluation",
    "eval": "fakesmrt_assets.cli.evaluation",
    "generate": "fakesmrt_assets.cli.models",
    "presets": "fakesmrt_assets.cli.models",
    "demo": "fakesmrt_assets.cli.demo",
    "doctor": "fakesmrt_assets.cli.home",
}
"""Each command and the module that defines it, in the order of ``fakesmrt --help``."""

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
        function = getattr(importlib.import_module(module), FUNCTION_NAMES.get(name, name))
        app.command(name)(function)
    return app


def _explained(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "The disk is full. Free some space and run the same command again; what was finished is kept."
    return f"{error}. Check the path and its permissions."


def main() -> None:
    """Run the command line; never shows a traceback for a failure that has a name."""
    try:
        application()()
    except FakesmrtError as error:
        sys.stderr.write(f"fakesmrt: {error}\n")
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        sys.stderr.write(f"fakesmrt: {_explained(error)}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("fakesmrt: interrupted. What was finished is kept; run the same command to go on.\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
