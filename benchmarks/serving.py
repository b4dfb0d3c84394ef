"""Serving over loopback: time to the first batch, tokens a second, and what a kill of either side costs.

    fakesmrt init && fakesmrt add … && fakesmrt build tokens    # or: python benchmarks/made_up_home.py /tmp/home …
    python benchmarks/serving.py /tmp/home --seconds 5

Starts ``fakesmrt serve`` on the home and reads from it with one client: token batches of the training split without a
condition and with one over metadata, each with several seeds; a stream resumed from its middle; chunks with text. Then
the server is killed (SIGKILL) and started again while a stream goes on, and a client is killed and another goes on with
its last token: both sequences are compared with those of an undisturbed stream. The same streams without a server are
measured beside it, and as a ceiling the shard's bytes read in order.

A home of made_up_home.py has shards without indexes; they are written first (62 bytes a chunk).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from warehouse.database import Warehouse
from warehouse.home import Home
from warehouse.serving.batches import Batch, TokenBatch
from warehouse.serving.client import Client
from warehouse.serving.requests import ChunkRequest, TokenRequest
from warehouse.serving.source import Source
from warehouse.tokens.shards import FORMAT_VERSION, INDEX_DTYPE, TOKEN_DTYPE, ShardManifest

CONDITION = "language = 'en' AND n_words > 20"
COMPARED_BATCHES = 300


@dataclass(frozen=True)
class Timed:
    """A stream as one client saw it."""

    first_batch_ms: float
    tokens_per_second: float


def write_indexes(home: Home) -> int:
    """Give shards that have none an index and a manifest; returns how many were written."""
    shards = "SELECT shard_id, path, split, n_tokens, n_chunks, n_bytes, sha256 FROM tokens.shard"
    written = 0
    with Warehouse(home).read_published() as connection:
        for shard_id, path, split, n_tokens, n_chunks, n_bytes, sha256 in connection.execute(
            shards
        ).fetchall():
            manifest = home.tokens / f"{path.removesuffix('.bin')}.json"
            if manifest.exists():
                continue
            places = connection.execute(
                "SELECT token_start, token_end FROM tokens.shard_chunk WHERE shard_id = ? ORDER BY token_start",
                [shard_id],
            ).fetchnumpy()
            index = np.zeros(n_chunks, INDEX_DTYPE)
            index["token_start"], index["token_end"] = places["token_start"], places["token_end"]
            index["weight"] = 1.0
            np.save(manifest.with_suffix(".index.npy"), index, allow_pickle=False)
            stated = ShardManifest(
                format_version=FORMAT_VERSION, shard_id=str(shard_id), tokenizer_sha256="", vocab_size=257, split=split,
                n_tokens=n_tokens, n_chunks=n_chunks, n_bytes=n_bytes, sha256=bytes(sha256).hex(), index_sha256="",
                corpora=("",),
            )  # fmt: skip
            manifest.write_text(json.dumps(asdict(stated)))
            written += 1
    return written


@contextmanager
def server(home: Path, port: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """``fakesmrt serve`` on a home."""
    command = [sys.executable, "-m", "fakesmrt_assets.cli.main", "serve", "--json", "--port", port]
    environment = {**os.environ, "FAKESMRT_HOME": str(home)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def timed(begin: Callable[[], Iterator[Batch]], seconds: float, n_items: Callable[[Any], int]) -> Timed:
    """A stream from its request on."""
    started = time.perf_counter()
    stream = begin()
    next(stream)
    first = time.perf_counter() - started
    n_seen, started = 0, time.perf_counter()
    for batch in stream:
        n_seen += n_items(batch)
        if time.perf_counter() - started > seconds:
            break
    return Timed(round(first * 1000, 1), round(n_seen / (time.perf_counter() - started)))


def measured(
    read: Callable[[TokenRequest], Iterator[TokenBatch]], seconds: float, where: str | None
) -> dict[str, Any]:
    """Several seeds; the median and the slowest first batch."""
    requests = [
        TokenRequest(where=where, seed=seed, sequence_length=256, batch_sequences=256) for seed in range(5)
    ]
    runs = [timed(lambda request=request: read(request), seconds, n_tokens) for request in requests]
    return {
        "first_batch_ms": median(run.first_batch_ms for run in runs),
        "slowest_first_batch_ms": max(run.first_batch_ms for run in runs),
        "tokens_per_second": round(median(run.tokens_per_second for run in runs)),
    }


def n_tokens(batch: TokenBatch) -> int:
    return batch.inputs.size


def same(batches: Iterator[TokenBatch], expected: list[TokenBatch]) -> bool:
    return all(
        np.array_equal(batch.tokens, other.tokens) and batch.resume == other.resume
        # The stream that is compared with has no end.
        for batch, other in zip(batches, expected, strict=False)
    )


def server_killed(home: Path, request: TokenRequest, expected: list[TokenBatch]) -> dict[str, Any]:
    """Kill the server in the middle of a stream and start another at its address."""
    with server(home, "0") as (process, facts):
        stream = Client.of_home(home, facts["location"]).tokens(request)
        before = list(itertools.islice(stream, COMPARED_BATCHES // 3))
        process.kill()
        process.wait()
    with server(home, facts["location"].rpartition(":")[2]):
        after = list(itertools.islice(stream, COMPARED_BATCHES - len(before)))
    return {"exact": same(iter(before + after), expected), "n_batches": len(before + after)}


def client_killed(home: Path, location: str, expected: list[TokenBatch]) -> dict[str, Any]:
    """Kill a client that writes down each token, and go on with the last one that it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "tokens"
        process = subprocess.Popen(
            [sys.executable, __file__, str(home), "--read-from", location, "--log", str(log)]
        )
        while not log.exists() or log.read_text().count("\n") < COMPARED_BATCHES // 3:
            time.sleep(0.01)
        process.kill()
        process.wait()
        written = log.read_text().rpartition("\n")[0].splitlines()
    done = min(len(written), COMPARED_BATCHES - 50)
    stream = Client.of_home(home, location).tokens(compared_request(), written[done - 1])
    return {"exact": same(itertools.islice(stream, 50), expected[done : done + 50]), "after_batches": done}


def compared_request() -> TokenRequest:
    return TokenRequest(where=CONDITION, seed=7, sequence_length=128, batch_sequences=16)


def write_tokens(home: Path, location: str, log: Path) -> None:
    """The client that is killed."""
    with log.open("w") as stream:
        for batch in Client.of_home(home, location).tokens(compared_request()):
            stream.write(f"{batch.resume}\n")
            stream.flush()
            time.sleep(0.001)


def bytes_in_order(home: Home, seconds: float) -> int:
    """Tokens a second of a shard read from its beginning to its end: what cannot be passed."""
    path = max(home.tokens.rglob("train-*.bin"), key=lambda path: path.stat().st_size)
    shard = np.memmap(path, TOKEN_DTYPE, mode="r")
    n_read, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        for start in range(0, min(len(shard), 1 << 26), 1 << 16):
            n_read += len(np.array(shard[start : start + (1 << 16)]))
    return round(n_read / (time.perf_counter() - started))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each stream")
    parser.add_argument("--read-from", help=argparse.SUPPRESS)
    parser.add_argument("--log", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    root, seconds = arguments.home.absolute(), arguments.seconds
    if arguments.read_from:
        write_tokens(root, arguments.read_from, arguments.log)
        return
    home = Home(root)
    write_indexes(home)
    source = Source(Warehouse(home))
    source.warm()
    expected = list(itertools.islice(source.tokens(compared_request()), COMPARED_BATCHES))
    started = time.perf_counter()
    with server(root, "0") as (_, facts):
        client = Client.of_home(root, facts["location"])
        result: dict[str, Any] = {
            "n_chunks": source.snapshot(None).recipe("default")[1],
            "seconds_until_listening": round(time.perf_counter() - started, 2),
            "client": measured(client.tokens, seconds, None),
            "client_with_condition": measured(client.tokens, seconds, CONDITION),
            "client_resumed": asdict(
                timed(lambda: client.tokens(compared_request(), expected[-1].resume), seconds, n_tokens)
            ),
            "client_chunks": asdict(
                timed(lambda: client.chunks(ChunkRequest()), seconds, lambda batch: batch.rows.num_rows)
            ),
            "client_killed": client_killed(root, facts["location"], expected),
        }
    result["in_process"] = measured(source.tokens, seconds, None)
    result["server_killed"] = server_killed(root, compared_request(), expected)
    result["bytes_in_order_tokens_per_second"] = bytes_in_order(home, seconds)
    result["load"] = os.getloadavg()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
