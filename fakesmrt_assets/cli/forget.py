"""``fakesmrt forget``: take a source file or a document out of everything, for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse.home import Home, default_home

if TYPE_CHECKING:
    from warehouse.forgetting.findings import Forgotten, Preview

LISTED = 10
"""Lines shown of each kind; --json has all."""


def forget(
    source_or_document: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE_OR_DOCUMENT...",
            help="Ids of source files or documents, or their first digits; paths of source files, or their ends.",
        ),
    ],
    reason: Annotated[str | None, typer.Option(help="Why; kept in the record.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Forget source files or documents for good: no table, file or published version holds their text any more, and
    no build brings them back, from whatever file.

    A path stands for everything that was ever read there. Models that saw the text are listed; the next
    build trains others. Files outside the home are yours to remove. Killed, the same command ends what it began.

    Example: fakesmrt forget letters/private.txt --reason "asked to"
    """
    from rich.console import Console

    from warehouse.database import Warehouse
    from warehouse.forgetting.forget import forget as forget_contents
    from warehouse.forgetting.forget import preview

    warehouse = Warehouse(Home(default_home()))
    warehouse.home.require()
    if dry_run or not yes:
        foreseen = preview(warehouse, source_or_document)
        _show_preview(foreseen, json_output=json_output and dry_run)
        if dry_run:
            return
        typer.confirm("Forget this for good?", abort=True, err=True)
    console = Console(stderr=True)
    with console.status("forgetting") as status:
        forgotten = forget_contents(
            warehouse,
            source_or_document,
            reason,
            progress=lambda done, total, note: status.update(f"{done:.0f}/{total:.0f} {note}"),
        )
    _show_forgotten(forgotten, json_output=json_output)


def _show_preview(foreseen: Preview, *, json_output: bool) -> None:
    if json_output:
        _echo_json(foreseen)
        return
    err = True
    for content in foreseen.contents:
        typer.echo(f"{content.scope} {content.name}", err=err)
    typer.echo(
        f"{foreseen.n_documents:,} documents in {foreseen.n_chunks:,} chunks would go from "
        f"{foreseen.n_text_files} text files, {foreseen.n_shards} shards and {foreseen.n_versions} published versions",
        err=err,
    )
    typer.echo(f"{foreseen.n_likenesses:,} chunks elsewhere resemble it and would stay", err=err)
    _list("models that saw it", foreseen.stale_models, err=err)
    _list("references that would be removed", foreseen.broken_pins, err=err)


def _show_forgotten(forgotten: Forgotten, *, json_output: bool) -> None:
    if json_output:
        _echo_json(forgotten)
        return
    done, after = forgotten.rewritten, forgotten.consequences
    for content in forgotten.contents:
        typer.echo(f"Forgotten: {content.scope} {content.name}")
    typer.echo(f"{after.n_documents:,} documents in {after.n_chunks:,} chunks")
    _list("text files rewritten", done.text_files)
    _list("index files rewritten", done.index_files)
    _list("shards replaced", done.shards)
    _list("published versions rewritten", [str(number) for number in done.versions])
    _list("reports removed, written again by the next build", done.reports)
    _list("references removed (pins broken), made again by the next build", after.broken_pins)
    _list("models that saw it, to be replaced by the next build", after.stale_models)
    _list(
        "references of micromodels that saw it: train others, then build --new-references",
        after.stale_references,
    )
    _list("tokenizers whose sample held it; they stay, a merge table holds no text", after.tokenizers)
    _list("other files removed", done.removed)
    _list(
        "documents that stay although they resemble it; forget them too if they should go",
        [
            f"{like.document_id} {like.path} ({like.likeness}, {like.n_chunks} chunks)"
            for like in after.likenesses
        ],
    )
    _list("raw files that still hold it, or object stores that may; remove it there yourself", done.raw_files)
    _list("processes that still have an old version open", [str(pid) for pid in done.readers])
    typer.echo("Next: fakesmrt build")


def _list(title: str, names: Sequence[str], *, err: bool = False) -> None:
    if not names:
        return
    typer.echo(f"{len(names)} {title}", err=err)
    for name in names[:LISTED]:
        typer.echo(f"  {name}", err=err)
    if len(names) > LISTED:
        typer.echo(f"  … and {len(names) - LISTED} more", err=err)


def _echo_json(value: Preview | Forgotten) -> None:
    import json
    from dataclasses import asdict

    typer.echo(
        json.dumps(asdict(value), default=lambda item: item.hex() if isinstance(item, bytes) else str(item))
    )
