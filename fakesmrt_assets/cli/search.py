"""``fakesmrt search`` and ``fakesmrt show``: chunks by their words, and chunks by their ids.

What lives here: arguments, and how answers look. What does not: search and random access (``warehouse.retrieval``).
Both read the newest published copy, so neither waits for a build nor holds one up.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from fakesmrt_assets.cli.query import console_on, printable, published
from warehouse.home import Home, default_home

if TYPE_CHECKING:
    from warehouse.retrieval.search import Hit
    from warehouse.retrieval.texts import StoredChunk


def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="What to look for, in any script.")],
    where: Annotated[
        str | None,
        typer.Option(metavar="SQL", help="A condition over the columns of corpus.chunk_metadata."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most chunks.")] = 10,
    every: Annotated[bool, typer.Option("--all", help="Only chunks that hold all words.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object a chunk.")] = False,
) -> None:
    """Find chunks by their words, the best answer first (BM25).

    Words are found as they are written, in upper or lower case. Chinese, Japanese, Thai and other scripts that do not
    set words apart are found by any run of characters, Korean too. With --json each line has chunk_id, score,
    n_words_found, corpus, path, member, licence, language, byte_start, byte_end and text.

    Any DuckDB client asks the same of a published copy: FROM corpus.search('steam engine', n := 10).

    Example: fakesmrt search steam engine

    Example: fakesmrt search 東京 --where "licence = 'CC0-1.0' AND n_words > 20" --json
    """
    from warehouse.retrieval import search as searching
    from warehouse.retrieval.texts import ForgottenChunk, stored_chunk

    question, home = " ".join(words), Home(default_home())
    with published() as connection:
        asked = searching.question_words(connection, question)
        found: list[tuple[Hit, StoredChunk]] = []
        for hit in searching.search(connection, question, limit=limit, where=where, every_word=every):
            # What is being forgotten loses its text before the published version loses its row.
            with suppress(ForgottenChunk):
                found.append((hit, stored_chunk(connection, home, hit.chunk_id)))
    if json_output:
        for hit, chunk in found:
            facts = {"score": hit.score, "n_words_found": hit.n_words_found, **_facts(chunk)}
            typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    if not found:
        typer.echo("Nothing was found.")
    for number, (hit, chunk) in enumerate(found, start=1):
        _print_hit(number, hit, chunk, searching.excerpt(chunk.text, asked))


def show(
    chunk_ids: Annotated[list[str], typer.Argument(metavar="CHUNK_ID…", help="Ids, or their first digits.")],
    raw: Annotated[
        bool, typer.Option("--raw", help="The bytes of the source that the chunk was cut from, nothing else.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object a chunk.")] = False,
) -> None:
    """Show chunks: their text, and where it comes from.

    With --json each line has chunk_id, corpus, path, member, licence, language, byte_start, byte_end and text. With
    --raw the file is read as it lies there now, and it is said if it has changed or is gone.

    Example: fakesmrt show 7f3a9c

    Example: fakesmrt show 7f3a9c --raw | xxd
    """
    from warehouse.retrieval.texts import find_chunk_id, raw_bytes, stored_chunk

    if raw and json_output:
        raise typer.BadParameter("Give --raw or --json, not both.")
    home = Home(default_home())
    with published() as connection:
        chunks = [stored_chunk(connection, home, find_chunk_id(connection, digits)) for digits in chunk_ids]
    for chunk in chunks:
        if raw:
            sys.stdout.buffer.write(raw_bytes(home, chunk.origin))
            sys.stdout.buffer.flush()
        elif json_output:
            typer.echo(json.dumps(_facts(chunk), ensure_ascii=False))
        else:
            typer.echo(f"{_heading(chunk)}\n\n{printable(chunk.text)}\n")


def _facts(chunk: StoredChunk) -> dict[str, object]:
    origin = chunk.origin
    return {
        "chunk_id": str(chunk.chunk_id),
        "corpus": origin.corpus,
        "path": origin.path,
        "member": origin.member,
        "licence": origin.licence,
        "language": origin.language,
        "byte_start": origin.byte_start,
        "byte_end": origin.byte_end,
        "text": chunk.text,
    }


def _heading(chunk: StoredChunk) -> str:
    origin = chunk.origin
    file = origin.path if origin.member is None else f"{origin.path} ({origin.member})"
    place = f"{printable(file)} bytes {origin.byte_start:,} to {origin.byte_end:,}"
    facts = f"corpus {origin.corpus}, licence {origin.licence}, language {origin.language}"
    return f"chunk {chunk.chunk_id}\n{place}\n{printable(facts)}"


def _print_hit(number: int, hit: Hit, chunk: StoredChunk, shown: str) -> None:
    from rich.text import Text

    origin = chunk.origin
    line = Text(f"{number:>3}. ")
    line.append(str(hit.chunk_id), style="bold")
    line.append(f"  {hit.score:.3f}  {printable(origin.path)}", style="dim")
    console = console_on(sys.stdout)
    console.print(line, soft_wrap=True)
    console.print(Text(f"     {printable(shown)}"), soft_wrap=not sys.stdout.isatty())
