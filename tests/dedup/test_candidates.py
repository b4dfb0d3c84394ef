"""The band join proposes what shares a band, each pair once, new against all; nothing is lost unsaid."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasketch import MinHash, MinHashLSH

from warehouse.database import Connection
from warehouse.dedup.candidates import CandidateParameters, CandidateSummary, find_candidates, write_band_file
from warehouse.dedup.minhash import SketchParameters, band_keys, signatures
from warehouse.dedup.shingles import shingle
from warehouse.errors import CorruptArtefact, InvalidConfiguration

SKETCH = SketchParameters()
Members = Callable[..., pa.Table]


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def notices(n_texts: int) -> dict[bytes, str]:
    """Distinct texts that resemble each other: a notice with the year changed."""
    boilerplate = " ".join(
        f"clause {clause} of this permission notice stays the same" for clause in range(30)
    )
    return {
        key(number): f"Copyright {1900 + number} by the authors. {boilerplate}" for number in range(n_texts)
    }


class Index:
    """A folder of band files, and the join over it."""

    def __init__(self, folder: Path, connection: Connection, members: Members) -> None:
        self.folder, self.connection, self.members = folder, connection, members
        self.band_files: list[Path] = []
        self.output = folder / "candidates.parquet"

    def add(self, texts: dict[bytes, str], sketch: SketchParameters = SKETCH) -> None:
        self.band_files.append(self.folder / f"{len(self.band_files)}.parquet")
        write_band_file(self.band_files[-1], list(texts), list(texts.values()), sketch)

    def join(self, texts: dict[bytes, str], **options: Any) -> set[tuple[bytes, bytes]]:
        limits = options.pop("limits", None)
        members = self.members(texts, **options)
        self.summary: CandidateSummary = find_candidates(
            self.connection, members, self.band_files, self.output, SKETCH, limits
        )
        table = pq.read_table(self.output)
        pairs = list(zip(table["chunk_a"].to_pylist(), table["chunk_b"].to_pylist(), strict=True))
        assert pairs == sorted(set(pairs))
        assert all(a < b for a, b in pairs)
        assert self.summary.n_pairs == len(pairs)
        return set(pairs)


@pytest.fixture
def index(tmp_path: Path, scratch: Connection, make_members: Members) -> Index:
    return Index(tmp_path, scratch, make_members)


def pairs_by_definition(texts: dict[bytes, str]) -> set[tuple[bytes, bytes]]:
    keys = band_keys(signatures(shingle(list(texts.values()), SKETCH.shingles), SKETCH), SKETCH)
    pairs = itertools.combinations(zip(sorted(texts), keys[np.argsort(list(texts))], strict=True), 2)
    return {(a, b) for (a, keys_a), (b, keys_b) in pairs if (keys_a == keys_b).any()}


def test_candidates_share_a_band(index: Index, pair_list: Callable[[str], Any]) -> None:
    licences = pair_list("spdx_licences").texts
    texts = {key(number): text for number, text in enumerate(dict.fromkeys(licences))}
    index.add(dict(itertools.islice(texts.items(), 0, 50)))
    index.add(dict(itertools.islice(texts.items(), 50, None)))
    found = index.join(texts)
    assert found == pairs_by_definition(texts)
    assert 30 < len(found) < len(texts) * 3


def test_candidates_are_those_of_datasketchs_index(index: Index, pair_list: Callable[[str], Any]) -> None:
    texts = {key(number): text for number, text in enumerate(dict.fromkeys(pair_list("spdx_licences").texts))}
    index.add(texts)
    lsh = MinHashLSH(num_perm=SKETCH.n_hashes, params=(SKETCH.n_bands, SKETCH.rows_per_band))
    rows = signatures(shingle(list(texts.values()), SKETCH.shingles), SKETCH)
    oracles = {
        chunk_id: MinHash(SKETCH.n_hashes, SKETCH.seed, hashvalues=row, scheme="affine32")
        for chunk_id, row in zip(texts, rows, strict=True)
    }
    for chunk_id, oracle in oracles.items():
        lsh.insert(chunk_id, oracle)
    expected = {(chunk_id, met) for chunk_id, oracle in oracles.items() for met in lsh.query(oracle)}
    assert index.join(texts) == {(a, b) for a, b in expected if a < b}


def test_identical_texts_are_compared_once(index: Index) -> None:
    texts = {key(number): "Permission is hereby granted, free of charge" for number in range(5000)}
    texts |= {key(9000): "Permission is hereby granted free of charge!"}
    index.add(texts)
    assert index.join(texts) == {(key(0), key(9000))}
    assert index.summary.n_texts == 2


def test_texts_without_words_are_no_candidates(index: Index) -> None:
    texts = {key(0): "", key(1): "---", key(2): "***", key(3): "one two three four five"}
    index.add(texts)
    assert index.join(texts) == set()


def test_new_texts_meet_all_and_old_pairs_are_not_repeated(index: Index) -> None:
    texts = notices(6)
    old = list(texts)[:4]
    index.add({chunk_id: texts[chunk_id] for chunk_id in old})
    index.add({chunk_id: texts[chunk_id] for chunk_id in list(texts)[4:]})
    everything = index.join(texts)
    added = index.join(texts, known=old)
    assert added == {pair for pair in everything if pair[1] not in old}
    assert index.join(texts, known=list(texts)) == set()


def test_a_text_is_met_again_when_another_chunk_stands_for_it(index: Index) -> None:
    a, b, twin_of_b = key(1), key(3), key(2)
    texts = {a: notices(2)[key(0)], b: notices(2)[key(1)], twin_of_b: notices(2)[key(1)]}
    index.add(texts)
    # A twin with a smaller id arrives: the pair is proposed under its name.
    assert index.join(texts, known=[a, b]) == {(a, twin_of_b)}
    # The smaller twin goes away: the pair is proposed under the other's name.
    assert index.join(texts, known=list(texts), retired=[twin_of_b]) == {(a, b)}
    # A twin with a larger id changes nothing.
    assert index.join(texts, known=[a, twin_of_b]) == set()


def test_increments_find_what_all_at_once_finds(index: Index) -> None:
    # Every third text has a twin, and ids arrive in no order.
    order = random.Random(7).sample(range(45), 45)
    texts = {key(number): list(notices(30).values())[number % 30] for number in order}
    stored: set[tuple[bytes, bytes]] = set()
    arrived: dict[bytes, str] = {}
    for start in range(0, 45, 9):
        known = list(arrived)
        new = dict(list(texts.items())[start : start + 9])
        index.add(new)
        arrived |= new
        stored |= index.join(arrived, known=known)
    representatives = {min(twin for twin in texts if texts[twin] == text) for text in texts.values()}
    assert {pair for pair in stored if representatives.issuperset(pair)} == index.join(texts)


def test_retired_chunks_and_strangers_in_the_files_are_ignored(index: Index) -> None:
    texts = notices(3)
    index.add(texts | {key(77): notices(1)[key(0)] + " once more"})
    assert index.join(texts, retired=[key(1)]) == {(key(0), key(2))}


def test_a_chunk_in_two_files_counts_once(index: Index) -> None:
    texts = notices(3)
    index.add(texts)
    index.add({key(1): texts[key(1)]})
    assert len(index.join(texts, limits=CandidateParameters(bucket_limit=3, n_centres=1))) == 3
    assert index.summary.n_large_buckets == 0


def test_a_large_bucket_is_searched_from_its_first_texts_and_says_so(index: Index) -> None:
    texts = notices(40)
    index.add(texts)
    found = index.join(texts, limits=CandidateParameters(bucket_limit=20, n_centres=3))
    assert {(key(0), key(number)) for number in range(1, 40)} <= found
    assert len(found) < 40 * 39 // 2
    assert index.summary.n_large_buckets > 0
    assert 20 < index.summary.n_texts_of_largest_bucket <= 40
    assert index.summary.n_pairs_left_out > 0
    assert len(index.join(texts)) == 40 * 39 // 2
    assert index.summary.n_pairs_left_out == 0


def test_band_files_are_the_same_bytes_for_the_same_rows(tmp_path: Path) -> None:
    texts = notices(20)
    for name in ("one", "two"):
        assert write_band_file(tmp_path / name, list(texts), list(texts.values()), SKETCH) == 20
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_chunk_without_bands_is_an_error(index: Index) -> None:
    texts = notices(3)
    with pytest.raises(CorruptArtefact, match="no band files for 3 texts"):
        index.join(texts)
    index.add({key(0): texts[key(0)]})
    with pytest.raises(CorruptArtefact, match=f"2 chunks have no band keys, {key(1).hex()}"):
        index.join(texts)


def test_keys_of_another_sketch_are_an_error(index: Index) -> None:
    index.add(notices(2), SketchParameters(seed=2))
    with pytest.raises(CorruptArtefact, match="another sketch"):
        index.join(notices(2))


def test_nothing_has_no_candidates(index: Index) -> None:
    assert index.join({}) == set()


def test_limits_without_sense_are_refused() -> None:
    with pytest.raises(InvalidConfiguration):
        CandidateParameters(bucket_limit=10, n_centres=11)
