"""``fakesmrt dedup``: near-duplicate clusters of any JSON Lines file.

What lives here: arguments and how the answer looks. What does not: how it is found (``warehouse.dedup``).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from warehouse.progress import Progress

if TYPE_CHECKING:
    from warehouse.dedup.jsonl import Deduplication, DuplicateMember


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
            help="Least Jaccard similarity of two near-duplicates, over word 5-grams. Of pairs as alike as 0.8, "
            "99 % are found; of 0.7, 86 %; of 0.6, 53 %; of 0.5, 22 %.",
            min=0.5,
            max=1.0,
        ),
    ] = 0.8,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="OLD.jsonl",
            help="Older rows, all of them kept: rows that resemble one are dropped. May be repeated.",
        ),
    ] = None,
    keeper: Annotated[
        Literal["linked", "longest", "first", "last"],
        typer.Option(help="Which row of a cluster is kept: see above."),
    ] = "linked",
) -> None:
    """Find the exact and near-duplicates among the texts of a file.

    Candidates come from MinHash (16 bands of 6 hashes: 99 % of the pairs at 0.8), and every pair is verified
    by its true Jaccard similarity over case-folded word 5-grams. Each member of a cluster has a verified link
    to its keeper, so a chain of likenesses does not grow into one cluster, and no two kept rows have one.

    Keeper: rows are visited in an order, and a row that resembles a kept one is dropped. The order is linked: the
    text with the most links to others; among equals the longest; then the smallest id. Or longest: the longest,
    then the smallest id. Or first, last: as they stand in the file, from its beginning or from its end.

    With --against, a row that resembles an older one is dropped for the older row that it resembles most. Older
    rows are never dropped, written or compared with each other.

    Keys of --json: id, cluster_id, keeper_id, jaccard (to the keeper), kept; with --against also keeper_path, the
    file where the keeper stands.

    Files may be packed, their names ending in .gz, .zst or .bz2, and pipes such as /dev/stdin.

    Example: fakesmrt dedup posts.jsonl --output unique.jsonl

    Example: fakesmrt dedup monday.jsonl.gz --against sunday.jsonl.gz --keeper first --json
    """
    from warehouse.dedup.jsonl import Keeper, deduplicate, require_output, write_kept

    older = against or []
    if output is not None:
        require_output(output, [file, *older])
    with ExitStack() as stack:
        with _progress_bar() as progress:
            result = stack.enter_context(deduplicate(file, threshold, older, Keeper(keeper), progress))
        if output is not None:
            write_kept(result, output)
        if json_lines:
            for member in result.members():
                typer.echo(json.dumps(_as_json(member, with_path=bool(older)), ensure_ascii=False))
        else:
            _show(result, threshold, output)


def _as_json(member: DuplicateMember, *, with_path: bool) -> dict[str, object]:
    line: dict[str, object] = {
        "id": member.id,
        "cluster_id": member.keeper_id,
        "keeper_id": member.keeper_id,
        "jaccard": member.jaccard,
        "kept": member.kept,
    }
    return line | {"keeper_path": str(member.keeper_path)} if with_path else line


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
    for cluster in result.largest:
        # Ids are somebody's text: never read as markup.
        table.add_row(Text(str(cluster.keeper_id)), str(cluster.n_members), f"{cluster.least_jaccard:.3f}")
    if result.largest:
        console.print(table)
    counts, found = result.counts, result.candidates
    console.print(
        f"{counts.n_rows:,} rows, {counts.n_clusters:,} clusters, {counts.n_dropped:,} duplicates, "
        f"{counts.n_rows - counts.n_dropped:,} kept; {found.n_pairs:,} candidate pairs, "
        f"{result.n_verified_pairs:,} verified.",
        soft_wrap=True,
    )
    if counts.n_older_rows:
        console.print(
            f"{counts.n_dropped_for_older:,} of the duplicates resemble one of {counts.n_older_rows:,} older rows.",
            soft_wrap=True,
        )
    if found.n_pairs_left_out:
        console.print(
            f"{found.n_large_buckets:,} buckets of up to {found.n_texts_of_largest_bucket:,} distinct texts "
            f"were searched from their first texts only: {found.n_pairs_left_out:,} pairs left out.",
            soft_wrap=True,
        )
    if output is not None:
        console.print(Text(f"The kept rows are in {output}"), soft_wrap=True)
