"""Verdicts are true Jaccard similarities: of real near-duplicates none is missed and none is made up."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.database import Connection
from warehouse.dedup import verification
from warehouse.dedup.candidates import find_candidates, write_band_file
from warehouse.dedup.minhash import SketchParameters
from warehouse.dedup.shingles import ShingleParameters, shingle
from warehouse.dedup.verification import (
    PAIR_SCHEMA,
    VerificationParameters,
    jaccard,
    write_verified_pairs,
)
from warehouse.errors import CorruptArtefact, InvalidConfiguration

RULE = VerificationParameters()
CHINESE = re.compile("[\u4e00-\u9fff]{20}")

TEXTS = {
    b"a" * 16: "one two three four five six seven eight nine ten",
    b"b" * 16: "one two three four five six seven eight nine eleven",
    b"c" * 16: "one two three four five and then something else entirely",
}


def write_candidates(path: Path, *pairs: str) -> Path:
    columns = [[(pair[side] * 16).encode() for pair in pairs] for side in (0, 1)]
    pq.write_table(pa.table(columns, names=["chunk_a", "chunk_b"]), path)
    return path


def rows(table: pa.Table) -> list[tuple[str, str, float]]:
    ids = (table[side].to_pylist() for side in ("chunk_a", "chunk_b"))
    return [
        (a[:1].decode(), b[:1].decode(), j)
        for a, b, j in zip(*ids, table["jaccard"].to_pylist(), strict=True)
    ]


def test_jaccard_counts_shared_over_all() -> None:
    a, b = np.array([1, 2, 3, 4], np.uint64), np.array([3, 4, 5], np.uint64)
    nothing = np.array([], np.uint64)
    assert jaccard(a, b) == 2 / 5
    assert jaccard(a, a) == 1
    assert jaccard(a, nothing) == jaccard(nothing, nothing) == 0


def test_pairs_at_or_above_the_floor_are_stored_with_their_rule(tmp_path: Path) -> None:
    candidates = write_candidates(tmp_path / "candidates.parquet", "ab", "ac", "bc")
    summary = write_verified_pairs(candidates, lambda _: TEXTS, tmp_path / "pairs.parquet", RULE)
    table = pq.read_table(tmp_path / "pairs.parquet")
    # 6 shingles each, 5 shared: 5/7. The others share one of 11.
    assert rows(table) == [("a", "b", pytest.approx(5 / 7))]
    assert (summary.n_candidates, summary.n_pairs) == (3, 1)
    assert table.schema.equals(PAIR_SCHEMA)
    assert set(table["rule_version"].to_pylist()) == {"jaccard-1/casefolded-words-2/5"}


def test_a_pair_exactly_at_the_floor_is_stored(tmp_path: Path) -> None:
    candidates = write_candidates(tmp_path / "candidates.parquet", "ab")
    for floor, n_pairs in ((5 / 7, 1), (5 / 7 + 1e-6, 0)):
        rule = VerificationParameters(floor=floor)
        output = tmp_path / "pairs.parquet"
        assert write_verified_pairs(candidates, lambda _: TEXTS, output, rule).n_pairs == n_pairs


def test_texts_are_asked_for_once_and_batch_by_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    candidates = write_candidates(tmp_path / "candidates.parquet", "ab", "ac", "bc")
    asked: list[bytes] = []

    def texts(chunk_ids: Any) -> dict[bytes, str]:
        assert len(chunk_ids) <= 2
        asked.extend(chunk_ids)
        return TEXTS

    monkeypatch.setattr(verification, "TEXTS_PER_BATCH", 2)
    monkeypatch.setattr(verification, "PAIRS_PER_BATCH", 1)
    write_verified_pairs(candidates, texts, tmp_path / "pairs.parquet", VerificationParameters(floor=0.01))
    assert asked == sorted(TEXTS)
    found = rows(pq.read_table(tmp_path / "pairs.parquet"))
    assert [(a, b) for a, b, _ in found] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_ids_that_end_in_zeros_are_ids_of_their_own(tmp_path: Path) -> None:
    ids = [b"a" * 15 + b"\0", b"a" * 14 + b"\0\0", b"\0" * 16]
    texts = dict(zip(ids, TEXTS.values(), strict=True))
    columns = [[ids[0]], [ids[1]]]
    pq.write_table(pa.table(columns, names=["chunk_a", "chunk_b"]), tmp_path / "candidates.parquet")
    write_verified_pairs(tmp_path / "candidates.parquet", lambda _: texts, tmp_path / "pairs.parquet", RULE)
    (pair,) = pq.read_table(tmp_path / "pairs.parquet").to_pylist()
    assert (pair["chunk_a"], pair["chunk_b"], pair["jaccard"]) == (ids[0], ids[1], pytest.approx(5 / 7))


def test_a_missing_text_is_an_error(tmp_path: Path) -> None:
    candidates = write_candidates(tmp_path / "candidates.parquet", "ax")
    with pytest.raises(CorruptArtefact, match=(b"x" * 16).hex()):
        write_verified_pairs(candidates, lambda _: TEXTS, tmp_path / "pairs.parquet", RULE)
    assert not (tmp_path / "pairs.parquet").exists()


def test_no_candidates_are_no_pairs(tmp_path: Path) -> None:
    candidates = write_candidates(tmp_path / "candidates.parquet")
    assert write_verified_pairs(candidates, dict, tmp_path / "pairs.parquet", RULE).n_pairs == 0
    assert pq.read_table(tmp_path / "pairs.parquet").schema.equals(PAIR_SCHEMA)


def test_a_floor_outside_of_similarity_is_refused() -> None:
    with pytest.raises(InvalidConfiguration):
        VerificationParameters(floor=1.5)


@pytest.mark.parametrize("name", ["spdx_licences", "powershell_docs", "gov_crossposts"])
def test_similarities_are_those_of_the_pair_lists(name: str, pair_list: Callable[[str], Any]) -> None:
    listed = pair_list(name)
    sets = shingle(listed.texts, ShingleParameters())
    # The lists are made of runs of letters; one licence is in Chinese, whose characters are words here.
    pairs = [pair for pair in listed.pairs if not CHINESE.search(listed.texts[pair.a] + listed.texts[pair.b])]
    assert len(listed.pairs) - len(pairs) <= 1
    found = [jaccard(sets.distinct(pair.a), sets.distinct(pair.b)) for pair in pairs]
    assert np.allclose(found, [pair.jaccard for pair in pairs], atol=5.1e-5)


@pytest.mark.parametrize("name", ["spdx_licences", "powershell_docs"])
def test_listed_near_duplicates_are_found_and_nothing_else(
    name: str,
    pair_list: Callable[[str], Any],
    tmp_path: Path,
    scratch: Connection,
    make_members: Callable[..., Any],
) -> None:
    listed = pair_list(name)
    texts = {
        hashlib.md5(name.encode(), usedforsecurity=False).digest(): text
        for name, text in zip(listed.names, listed.texts, strict=True)
    }
    ids = list(texts)
    sketch = SketchParameters()
    write_band_file(tmp_path / "bands.parquet", ids, listed.texts, sketch)
    find_candidates(
        scratch, make_members(texts), [tmp_path / "bands.parquet"], tmp_path / "candidates.parquet", sketch
    )
    rule = VerificationParameters(floor=0.8)
    write_verified_pairs(tmp_path / "candidates.parquet", lambda _: texts, tmp_path / "pairs.parquet", rule)
    table = pq.read_table(tmp_path / "pairs.parquet")
    found = {
        frozenset((a, b))
        for a, b in zip(table["chunk_a"].to_pylist(), table["chunk_b"].to_pylist(), strict=True)
    }
    # Identical texts are duplicates before any sketch: they and their likenesses are compared once.
    distinct = {text: chunk_id for chunk_id, text in sorted(texts.items(), reverse=True)}
    truth = {
        frozenset((distinct[listed.texts[pair.a]], distinct[listed.texts[pair.b]]))
        for pair in listed.pairs
        if pair.jaccard >= 0.8 and listed.texts[pair.a] != listed.texts[pair.b]
    }
    assert len(found & truth) >= 0.99 * len(truth)
    sets = shingle(listed.texts, sketch.shingles)
    place = {chunk_id: index for index, chunk_id in enumerate(ids)}
    for pair in found:
        a, b = (set(sets.distinct(place[chunk_id]).tolist()) for chunk_id in pair)
        assert len(a & b) >= 0.8 * len(a | b)
    if name == "spdx_licences":
        # This list is complete.
        assert found <= truth
