"""Which pairs are stored follows from today's texts alone, whatever came and went before, in large buckets too."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.database import Connection, Warehouse
from warehouse.dedup.candidates import (
    CHUNK_ID,
    CandidateParameters,
    find_candidates,
    write_band_file,
    write_obsolete_pairs,
)
from warehouse.dedup.minhash import SketchParameters
from warehouse.home import Home

SKETCH = SketchParameters(n_bands=3, rows_per_band=2)
LIMITS = CandidateParameters(bucket_limit=5, n_centres=2)
N_CHUNKS, N_TEXTS = 24, 16
Pair = tuple[bytes, bytes]


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def pool() -> dict[bytes, str]:
    """Chunks of a form letter with other names in it, in no order of likeness; some have twins."""
    clauses = [f"clause {clause} of this letter stays as it was before" for clause in range(8)]
    source = random.Random(3)
    texts = {}
    for number in range(N_CHUNKS):
        changed = list(clauses)
        changed[number % 8] = f"dear reader number {number % N_TEXTS}, we hope that you are well"
        texts[key(source.randrange(1 << 64))] = ". ".join(changed)
    return texts


POOL = pool()


class Store:
    """What a stage keeps between two joins: which chunks were compared, and the pairs."""

    def __init__(self, folder: Path, connection: Connection, make_members: Callable[..., pa.Table]) -> None:
        self.folder, self.connection, self.make_members = folder, connection, make_members
        self.known: set[bytes] = set()
        self.pairs: set[Pair] = set()

    def compare(self, current: Iterable[bytes]) -> None:
        """Join the chunks that are current now; every candidate counts as verified."""
        here = set(current)
        away = POOL.keys() - here
        path = self.folder / "members.parquet"
        pq.write_table(self.make_members(POOL, known=sorted(self.known), retired=sorted(away)), path)
        names = ("bands", "candidates", "stored", "obsolete")
        bands, candidates, stored, obsolete = (self.folder / f"{name}.parquet" for name in names)
        find_candidates(self.connection, path, [bands], candidates, SKETCH, LIMITS)
        columns = [[pair[side] for pair in sorted(self.pairs)] for side in (0, 1)]
        pq.write_table(pa.table([pa.array(ids, CHUNK_ID) for ids in columns], ["chunk_a", "chunk_b"]), stored)
        write_obsolete_pairs(self.connection, path, stored, obsolete, SKETCH)
        self.pairs = self.pairs - pairs_in(obsolete) | pairs_in(candidates)
        self.known = here

    def pairs_among(self, current: Iterable[bytes]) -> set[Pair]:
        """The pairs whose texts are both current."""
        present = {POOL[chunk_id] for chunk_id in current}
        return {(a, b) for a, b in self.pairs if POOL[a] in present and POOL[b] in present}


def pairs_in(path: Path) -> set[Pair]:
    table = pq.read_table(path)
    return set(zip(table["chunk_a"].to_pylist(), table["chunk_b"].to_pylist(), strict=True))


@pytest.fixture(scope="module")
def new_store() -> Iterable[Callable[[Callable[..., pa.Table]], Store]]:
    """Makes stores in one folder and scratch database."""
    with TemporaryDirectory() as name, Warehouse(Home(Path(name))).scratch() as connection:
        write_band_file(Path(name) / "bands.parquet", list(POOL), list(POOL.values()), SKETCH)
        yield lambda make_members: Store(Path(name), connection, make_members)


@given(st.lists(st.sets(st.sampled_from(sorted(POOL))), min_size=1, max_size=4))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pairs_follow_from_what_is_here_today(
    new_store: Callable[..., Store], make_members: Callable[..., pa.Table], history: list[set[bytes]]
) -> None:
    store, at_once = new_store(make_members), new_store(make_members)
    for current in history:
        store.compare(current)
    at_once.compare(history[-1])
    assert store.pairs_among(history[-1]) == at_once.pairs_among(history[-1]) == at_once.pairs


def test_the_pool_has_large_buckets_that_leave_pairs_out(
    new_store: Callable[..., Store], make_members: Callable[..., pa.Table]
) -> None:
    some, everything = new_store(make_members), new_store(make_members)
    some.compare(sorted(POOL)[-6:])
    everything.compare(POOL)
    left_out = some.pairs - everything.pairs
    assert left_out
    some.compare(POOL)
    assert not left_out & some.pairs
    some.compare(sorted(POOL)[-6:])
    assert left_out <= some.pairs


def test_nothing_new_proposes_nothing(
    new_store: Callable[..., Store], make_members: Callable[..., pa.Table]
) -> None:
    store = new_store(make_members)
    store.compare(POOL)
    store.compare(POOL)
    assert (
        pairs_in(store.folder / "candidates.parquet") == pairs_in(store.folder / "obsolete.parquet") == set()
    )
