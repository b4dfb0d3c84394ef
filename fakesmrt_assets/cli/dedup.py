"""``fakesmrt dedup``: near-duplicate clusters of any JSON Lines file.

What lives here: arguments and how the answer looks. What does not: how it is found (``warehouse.dedup``).
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse.progress import Progress

if TYPE_CHECKING:
    from warehouse.dedup.jsonl import Deduplication

N_SHOWN_CLUSTERS = 10


def dedup(
    file: Annotated[
        Path,
        typer.Argument(help="JSON Lines: an object with id and text on each line.", metavar="FILE.jsonl"),
    ],
    json_lines: Annotated[
        bool,
        typer.Option("--json", help="One JSON object a line for each member of a cluster of two or more."),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(help="Write the rows that are kept to this file, unchanged and in their order."),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(
            help="Least Jaccard similarity of two near-duplicates, over word 5-grams.", min=0.5, max=1.0
        ),
    ] = 0.8,
) -> None:
    """Find the exact and near-duplicates among the texts of a file.

    Candidates come from MinHash (16 bands of 6 hashes: 99 % of the pairs at 0.8), and every pair is verified
    by its true Jaccard similarity over case-folded word 5-grams. Each member of a cluster has a verified link
    to its keeper, so a chain of likenesses does not grow into one cluster.

    Keeper: the text with the most links to others; among equals the longest; then the smallest id.

    Keys of --json: id, cluster_id, keeper_id, jaccard (to the keeper), kept.

    Example: fakesmrt dedup posts.jsonl --output unique.jsonl
    """
    from warehouse.dedup.jsonl import deduplicate, write_kept

    with _progress_bar() as progress:
        result = deduplicate(file, threshold, progress)
    if output is not None:
        write_kept(result, output)
    if json_lines:
        for member in result.members:
            typer.echo(json.dumps(dataclasses.asdict(member), ensure_ascii=False))
    else:
        _show(result, threshold, output)


@contextmanager
def _progress_bar() -> Iterator[Progress]:
    """A bar on the terminal's error stream; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Bar(
        *columns, console=Console(file=sys.stderr), transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda done, total, note: bar.update(task, completed=done, total=total, description=note)


def _show(result: Deduplication, threshold: float, output: Path | None) -> None:
    """The largest clusters as a table, then what was found in all."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table("keeper", "members", "least jaccard", title=f"Largest clusters at J >= {threshold:g}")
    sizes: dict[str | int, list[float]] = {}
    for member in result.members:
        sizes.setdefault(member.keeper_id, []).append(member.jaccard)
    largest = sorted(sizes.items(), key=lambda item: -len(item[1]))[:N_SHOWN_CLUSTERS]
    for keeper_id, similarities in largest:
        # Ids are somebody's text: never read as markup.
        table.add_row(Text(str(keeper_id)), str(len(similarities)), f"{min(similarities):.3f}")
    if largest:
        console.print(table)
    n_dropped = len(result.dropped_lines)
    console.print(
        f"{result.n_rows:,} rows, {result.n_clusters:,} clusters, {n_dropped:,} duplicates, "
        f"{result.n_rows - n_dropped:,} kept; {result.candidates.n_pairs:,} candidate pairs, "
        f"{result.n_verified_pairs:,} verified.",
        soft_wrap=True,
    )
    found = result.candidates
    if found.n_pairs_left_out:
        console.print(
            f"{found.n_large_buckets:,} buckets of up to {found.n_texts_of_largest_bucket:,} distinct texts "
            f"were searched from their first texts only: {found.n_pairs_left_out:,} pairs left out.",
            soft_wrap=True,
        )
    if output is not None:
        console.print(Text(f"The kept rows are in {output}"), soft_wrap=True)
