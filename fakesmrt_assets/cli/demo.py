"""``fakesmrt demo``: the main job on text that every machine with Python has, and what came out of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse.errors import InvalidConfiguration
from warehouse.home import Home, default_home

if TYPE_CHECKING:
    from rich.console import Console

    from warehouse.database import Connection

DEMO_MINUTES = 1.0
SPARKS = "▁▂▃▄▅▆▇█"


def demo(
    minutes: Annotated[float, typer.Option(help="Training budget of one micromodel.")] = DEMO_MINUTES,
) -> None:
    """Run the main job on text that every machine with Python has; a second time it finds all up to date.

    Example: fakesmrt demo
    """
    from rich.console import Console

    from fakesmrt_assets.cli.build import build_and_report
    from fakesmrt_assets.cli.home import init
    from warehouse.database import Warehouse
    from warehouse.stages.stage import BuildSettings

    home = Home(default_home())
    init()
    _require_demo_only(home)
    build_and_report(home, BuildSettings(minutes=minutes), "nightly")
    with Warehouse(home).read_published() as connection:
        show_outcome(connection, home, "default", Console())


def _require_demo_only(home: Home) -> None:
    """Raise `InvalidConfiguration` in a home whose build is no longer the demo's."""
    from warehouse.database import Warehouse

    with Warehouse(home).read() as connection:
        watched = {
            name for (name,) in connection.execute("SELECT DISTINCT corpus FROM corpus.location").fetchall()
        }
    if not watched or any(not name.startswith("demo_") for name in watched):
        raise InvalidConfiguration(
            f"{home.root} builds your own text, not the demo's",
            "Run the demo in a home of its own: FAKESMRT_HOME=~/fakesmrt-demo fakesmrt demo",
        )


def show_outcome(connection: Connection, home: Home, recipe: str, console: Console) -> None:
    """What a build ended with: text read, kept and dropped; the loss; bits per byte; a sample; where to look on."""
    from fakesmrt_assets.reports.picture_data import newest_experiment

    _show_text(connection, recipe, console)
    experiment = newest_experiment(connection, recipe) or ""
    _show_loss(connection, experiment, console)
    _show_scores(connection, experiment, console)
    _show_sample(home.reports / f"eval_report-{experiment}.json", console)
    console.print("\n[bold]To look further[/bold]")
    for page in sorted(home.reports.glob("*.html")):
        console.print(f"  {page}", soft_wrap=True, highlight=False)
    console.print("  fakesmrt ui          the asset graph, every run, pictures")
    console.print('  fakesmrt sql "FROM lineage.model_licence"')


def _show_text(connection: Connection, recipe: str, console: Console) -> None:
    from rich.table import Table

    from fakesmrt_assets.cli.console import readable_bytes
    from warehouse.database import query, read_rows
    from warehouse.training_chunks import ReasonCount

    rows = read_rows(connection, query("count_reasons"), {"recipe": recipe}, ReasonCount)
    files = dict(connection.execute(query("source_file_counts")).fetchall())
    by_status = ", ".join(f"{n:,} {status}" for status, n in files.items())
    console.print(f"\n[bold]Text[/bold]: {sum(files.values()):,} files ({by_status})", highlight=False)
    table = Table("corpus", "chunks", "text", "kept", "dropped, and why", box=None, pad_edge=False)
    for corpus in sorted({row.corpus for row in rows}):
        own = [row for row in rows if row.corpus == corpus]
        kept = sum(row.n_chunks for row in own if row.reason is None)
        total = sum(row.n_chunks for row in own)
        reasons: dict[str, int] = {}
        for row in own:
            if row.reason is not None:
                reasons[row.reason] = reasons.get(row.reason, 0) + row.n_chunks
        why = ", ".join(f"{reason} {n}" for reason, n in sorted(reasons.items(), key=lambda item: -item[1]))
        size = readable_bytes(sum(row.n_bytes for row in own))
        table.add_row(corpus, f"{total:,}", size, f"{kept / total:.1%}", why)
    console.print(table)


def sparkline(values: list[float], width: int = 48) -> str:
    """A line of blocks, one for each of at most `width` means of consecutive values; high values are tall."""
    if not values:
        return ""
    step = max(1, -(-len(values) // width))
    means = [sum(values[i : i + step]) / len(values[i : i + step]) for i in range(0, len(values), step)]
    low, span = min(means), (max(means) - min(means)) or 1.0
    return "".join(SPARKS[round((value - low) / span * (len(SPARKS) - 1))] for value in means)


def _show_loss(connection: Connection, experiment: str, console: Console) -> None:
    from warehouse.database import query

    rows = connection.execute(query("loss_curves"), {"experiment": experiment}).fetchall()
    console.print("\n[bold]Training loss[/bold], nats a token")
    for name, losses in rows:
        console.print(
            f"  {name:<14} {losses[0]:.2f} {sparkline(losses)} {losses[-1]:.2f}",
            highlight=False,
            soft_wrap=True,
        )


def _show_scores(connection: Connection, experiment: str, console: Console) -> None:
    from rich.table import Table

    from warehouse.database import query

    rows = connection.execute(query("overall_scores"), {"experiment": experiment}).fetchall()
    console.print("\n[bold]Bits per byte[/bold] on the report split; lower is better")
    table = Table("model", "bits per byte", "95 % interval", box=None, pad_edge=False)
    for model, value, low, high in rows:
        interval = f"{low:.3f} to {high:.3f}" if low is not None else ""
        table.add_row(model, f"{value:.3f}", interval)
    console.print(table)
    values = {model: value for model, value, _, _ in rows}
    members = [value for model, value in values.items() if model.startswith("micromodel")]
    if members and "5-gram" in values:
        ratio = min(members) / values["5-gram"] - 1
        side = "more" if ratio > 0 else "fewer"
        console.print(
            f"The best micromodel needs {abs(ratio):.1%} {side} bits than a 5-gram model of the same tokens, "
            "which is a strong baseline: it keeps a count of every five tokens in a row.",
            highlight=False,
        )


def _show_sample(report: Path, console: Console) -> None:
    if report.exists():
        console.print("\n[bold]The mixed model writes[/bold]")
        for sample in json.loads(report.read_text())["samples"]:
            console.print(f"  {sample['prompt']}", style="dim", end="", markup=False, highlight=False)
            console.print(sample["text"], markup=False, highlight=False)
