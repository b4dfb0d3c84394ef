"""Forgets one document of many, and looks for every run of eight of its words in every place of the home.

The home is made from the files of a folder, cut into documents of some hundred words each; a small model may be trained
on it. A forget is killed at some random moments, run to its end, and followed by another build. Everything is searched:
each table of the working database and of every retained version (their text views too), each Parquet file decompressed,
each shard decoded, each report, each text file of models/, Dagster's event log, and the bytes of every file as they lie
on disk.

Example: python benchmarks/forgetting.py /tmp/forgetting --text ~/corpora/prose --documents 10000 --kills 5 --models
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet

from warehouse.database import Warehouse
from warehouse.files import file_sha256
from warehouse.home import Home
from warehouse.tokens.shards import TOKENIZER_FILE, manifest_of, open_shard
from warehouse.tokens.tokenizer import Tokenizer

N_WORDS = 8
DOCUMENT_WORDS = 250
COMMAND = (sys.executable, "-m", "fakesmrt_assets.cli.main")


def windows(text: str) -> set[str]:
    """Every run of eight words."""
    words = text.split()
    return {" ".join(words[start : start + N_WORDS]) for start in range(len(words) - N_WORDS + 1)}


def documents(text_folder: Path) -> Iterator[str]:
    """Pieces of the folder's texts, each of `DOCUMENT_WORDS` words."""
    for path in sorted(
        path for path in text_folder.rglob("*") if path.suffix in (".txt", ".md") and path.is_file()
    ):
        words = path.read_bytes().decode(errors="replace").split()
        for start in range(0, len(words) - DOCUMENT_WORDS, DOCUMENT_WORDS):
            yield " ".join(words[start : start + DOCUMENT_WORDS])


def write_corpus(folder: Path, text_folder: Path, n_documents: int) -> None:
    """Half of the documents as files of their own, half as records of one file."""
    folder.mkdir(parents=True)
    found = list(itertools.islice(documents(text_folder), n_documents))
    if len(found) < n_documents:
        sys.exit(f"{text_folder} has text for {len(found)} documents only")
    half = n_documents // 2
    for number, text in enumerate(found[:half]):
        (folder / f"{number:06}.txt").write_text(text + "\n")
    lines = (
        json.dumps({"id": number, "text": text}, ensure_ascii=False)
        for number, text in enumerate(found[half:])
    )
    (folder / "records.jsonl").write_text("\n".join(lines) + "\n")


def texts_of(root: Path) -> Iterator[tuple[str, str]]:
    """Every text in a home, with the place where it stands."""
    for path in sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink()):
        place = str(path.relative_to(root))
        if path.suffix == ".duckdb":
            yield from _texts_of_database(path, place)
        elif path.suffix == ".parquet":
            yield place, _joined(parquet.read_table(path))
        elif path.suffix == ".bin" and manifest_of(path).exists():
            yield place, _text_of_shard(path)
        yield f"{place} (bytes)", path.read_bytes().decode("latin-1")


def _texts_of_database(path: Path, place: str) -> Iterator[tuple[str, str]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        relations = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() "
            "UNION ALL SELECT schema_name, view_name FROM duckdb_views() WHERE view_name = 'chunk_text'"
        ).fetchall()
        for schema, relation in relations:
            yield (
                f"{place} {schema}.{relation}",
                _joined(connection.sql(f'FROM "{schema}"."{relation}"').to_arrow_table()),
            )


def _joined(rows: pa.Table) -> str:
    columns = [
        column
        for column in rows.columns
        if pa.types.is_string(column.type)
        or pa.types.is_large_string(column.type)
        or pa.types.is_string_view(column.type)
    ]
    return "\n".join(value for column in columns for value in column.to_pylist() if value)


def _text_of_shard(path: Path) -> str:
    shard = open_shard(manifest_of(path))
    tokenizer = Tokenizer.from_file(path.parent / TOKENIZER_FILE)
    return "\n".join(
        tokenizer.decode(shard.tokens[int(record["token_start"]) + 1 : int(record["token_end"])].tolist())
        for record in shard.index
    )


def places_with(root: Path, wanted: set[str]) -> dict[str, int]:
    """The places of a home that hold some of the windows, and how many."""
    found = {}
    firsts = {" ".join(window.split()[:4]) for window in wanted}
    for place, text in texts_of(root):
        plain = re.sub(r"\\[nrt]|\s+", " ", text)
        # A window stands nowhere where its first half does not; most places hold none of the halves.
        halves = {half for half in firsts if half in plain}
        there = (window for window in wanted if " ".join(window.split()[:4]) in halves)
        if number := sum(window in plain for window in there):
            found[place] = number
    return found


def command(home: Path, *arguments: str, kill_after: float | None = None) -> float:
    """Run the command line, killing it after some seconds if asked to; returns the seconds it took."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        env={**os.environ, "FAKESMRT_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _, said = process.communicate(timeout=kill_after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return time.perf_counter() - begun
    if process.returncode:
        sys.exit(f"fakesmrt {' '.join(arguments)} failed: {said}")
    return time.perf_counter() - begun


def hashes(folder: Path, pattern: str) -> dict[str, bytes]:
    """Hashes of files, by name."""
    return {path.name: file_sha256(path) for path in folder.rglob(pattern)}


def chosen(home: Path, scope: str, seed: int) -> tuple[str, str]:
    """An identifier and the text of a document that every place knows: one that is trained on."""
    sql = """
        SELECT source_file.path, document.document_id, string_agg(chunk_text.text, ' ' ORDER BY chunk.ordinal)
        FROM corpus.document
        JOIN corpus.stream USING (stream_id)
        JOIN corpus.source_file USING (source_id)
        JOIN corpus.chunk ON chunk.document_id = document.document_id
        JOIN corpus.chunk_text ON chunk_text.chunk_id = chunk.chunk_id
        JOIN corpus.training_chunk
            ON training_chunk.chunk_id = chunk.chunk_id AND kept AND training_chunk.split = 'train'
        WHERE ends_with(source_file.path, CASE WHEN $scope = 'file' THEN '.txt' ELSE '.jsonl' END)
        GROUP BY ALL ORDER BY document.document_id"""
    with Warehouse(Home(home)).read_published() as connection:
        rows = connection.execute(sql, {"scope": scope}).fetchall()
    path, document_id, text = random.Random(seed).choice(rows)  # noqa: S311  # a choice that repeats
    return (path if scope == "file" else str(document_id)), text


def forget_one(
    home: Path, scope: str, arguments: argparse.Namespace
) -> tuple[set[str], Mapping[str, object]]:
    """Forget a file or a document, killed some times on the way; returns what was searched for, and what was found."""
    identifier, text = chosen(home, scope, arguments.seed)
    draw = random.Random(f"{arguments.seed}-{scope}")  # noqa: S311  # a choice that repeats
    wanted = windows(text)
    elsewhere = set().union(*(windows(other) for other in texts_elsewhere(home, text)))
    wanted -= elsewhere
    before = places_with(home, wanted)
    shards, text_files = hashes(home / "tokens", "*.bin"), hashes(home / "text", "*.parquet")
    whole = seconds_in_a_copy(home, identifier)
    for _ in range(arguments.kills):
        command(home, "forget", identifier, "--yes", kill_after=draw.uniform(0.3, whole))
    seconds = command(home, "forget", identifier, "--yes")
    after = places_with(home, wanted)
    now, texts_now = hashes(home / "tokens", "*.bin"), hashes(home / "text", "*.parquet")
    changed = {name for name in shards if now.get(name) != shards[name]}
    command(home, "doctor")  # Ends this benchmark where something is wrong.
    return wanted, {
        "scope": scope,
        "n_windows": len(wanted),
        "n_places_before": len(before),
        "kinds_of_places_before": sorted({place.split("/")[0].split(" ")[0] for place in before}),
        "n_places_after": len(after),
        "places_after": sorted(after),
        "n_kills": arguments.kills,
        "seconds_undisturbed": round(whole, 2),
        "seconds_to_end_after_kills": round(seconds, 2),
        "n_shards": len(shards),
        "n_shards_changed": len(changed),
        "n_text_files": len(text_files),
        "n_text_files_changed": sum(texts_now.get(name) != sha256 for name, sha256 in text_files.items()),
    }


def texts_elsewhere(home: Path, text: str) -> list[str]:
    """The texts of the other documents: what stands there too need not go."""
    with Warehouse(Home(home)).read_published() as connection:
        rows = connection.execute("SELECT text FROM corpus.chunk_text").fetchall()
    return [other for (other,) in rows if other not in text]


def seconds_in_a_copy(home: Path, identifier: str) -> float:
    """Seconds that forgetting takes in a copy of the home, without a kill."""
    copy = home.with_name(f"{home.name}-copy")
    shutil.copytree(home, copy, symlinks=True)
    try:
        return command(copy, "forget", identifier, "--yes")
    finally:
        shutil.rmtree(copy)


def main() -> None:
    """Make the home, forget a file and a record, build again, print one JSON line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", type=Path, help="a folder for the corpus and the home; what is there is used"
    )
    parser.add_argument(
        "--text", type=Path, required=True, help="folder of texts (.txt, .md) to cut documents from"
    )
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=3, help="kills on the way, for each of the two")
    parser.add_argument("--models", action="store_true", help="train a small population too, with reports")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    home = arguments.folder / "home"
    if not (arguments.folder / "corpus").exists():
        write_corpus(arguments.folder / "corpus", arguments.text, arguments.documents)
    build = ("build", "--steps", "20") if arguments.models else ("build", "corpus")
    command(home, "init", "--empty", "--salt", "a salt")
    command(home, "add", "texts", str(arguments.folder / "corpus"), "--licence", "CC0-1.0")
    build_seconds = command(home, *build)
    if not arguments.models:
        command(home, "build", "tokens")
    wanted, found = zip(*(forget_one(home, scope, arguments) for scope in ("file", "document")), strict=True)
    again_seconds = command(home, *build)
    back = {place: n for windows_ in wanted for place, n in places_with(home, windows_).items()}
    print(
        json.dumps(
            {
                "benchmark": "forgetting",
                "n_documents": arguments.documents,
                "build_seconds": round(build_seconds, 1),
                "build_again_seconds": round(again_seconds, 1),
                "forgotten": found,
                "n_places_after_building_again": len(back),
            }
        )
    )


if __name__ == "__main__":
    main()
