"""What can be read of a damaged container is read, what cannot is told, and bombs end."""

from __future__ import annotations

import gzip
import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.cleanser.packing import (
    ARCHIVERS,
    COMPRESSORS,
    TEXT,
    VERSE,
    WORDS,
    WRAPPERS,
    Found,
    found_in,
    tarred,
    zipped,
)
from warehouse.cleanser.containers.container import Limits
from warehouse.cleanser.containers.registry import container_of
from warehouse.cleanser.streams import walk_streams


@pytest.mark.parametrize("name", sorted(WRAPPERS.keys() - {"tar"}))
def test_a_bomb_ends_at_the_limit_and_what_came_before_is_kept(
    unpacked: Callable[..., Found], name: str
) -> None:
    bomb = WRAPPERS[name](bytes(20 << 20))
    limits = Limits(min_bytes_before_ratio=1 << 20, max_ratio=2)
    ((_, _, data, error),) = unpacked(bomb, limits=limits)
    assert 1 << 20 <= len(data) <= 2 << 20
    assert error == "unfolds to more than 2 times the size of its file; the rest is not read"


def test_many_members_share_one_limit(unpacked: Callable[..., Found]) -> None:
    bomb = zipped({f"{number}.gz": gzip.compress(bytes(300_000)) for number in range(50)})
    found = unpacked(bomb, limits=Limits(min_bytes_before_ratio=1 << 20, max_ratio=2))
    assert sum(len(data) for _, _, data, _ in found) <= 2 << 20
    assert [error is None for *_, error in found] == [True] * (len(found) - 1) + [False]


def test_depth_and_number_of_members_are_bounded(unpacked: Callable[..., Found]) -> None:
    data = TEXT
    for _ in range(4):
        data = zipped({"a": data})
    assert unpacked(data, limits=Limits(max_depth=4))[0][2] == TEXT
    ((container, member, _, error),) = unpacked(data, limits=Limits(max_depth=3))
    assert (container, member) == ("zip+zip+zip+zip", "a/a/a")
    assert error == "containers lie more than 3 deep in each other"
    found = unpacked(tarred({str(number): b"" for number in range(9)}), limits=Limits(max_members=5))
    assert [error for *_, error in found] == [None] * 5 + ["more than 5 members; the rest is not read"]


def test_only_what_is_wanted_is_given_out(unpacked: Callable[..., Found]) -> None:
    inner = zipped({"x.txt": b"x", "y.txt": b"y"})
    archive = zipped({"a.txt": TEXT, "b.zip": inner, "c.zip": inner})
    assert unpacked(archive, wanted={"b.zip/y.txt"}) == [("zip+zip", "b.zip/y.txt", b"y", None)]
    assert unpacked(gzip.compress(TEXT), wanted={None}) == [("gz", None, TEXT, None)]


def readable(found: Found) -> bytes:
    return b"".join(data for _, _, data, _ in found)


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_truncated_container_gives_its_beginning(unpacked: Callable[..., Found], name: str) -> None:
    text = random.Random(5).randbytes(300_000)
    packed = WRAPPERS[name](text)
    found = unpacked(packed[: len(packed) * 3 // 4])
    assert text.startswith(readable(found))
    # bzip2 gives out whole blocks of 900 kB only, Zstandard of 128 KiB.
    assert len(readable(found)) >= (0 if name == "bz2" else 128 << 10)
    assert any(f"{WORDS[name]} " in str(error) and "ends too early" in str(error) for *_, error in found)


@pytest.mark.parametrize("name", ["gz", "bz2", "xz", "zst", "zip"])
def test_a_wrong_checksum_costs_no_text(unpacked: Callable[..., Found], name: str) -> None:
    packed = bytearray(WRAPPERS[name](TEXT))
    from_end = {"gz": 6, "bz2": 3, "xz": 32, "zst": 1, "zip": len(packed) - packed.find(b"PK\x01\x02") - 16}
    packed[-from_end[name]] ^= 0x10
    ((_, _, data, error),) = unpacked(bytes(packed))
    assert error is not None
    # The libraries of bzip2 and xz keep their last byte back until they have compared.
    assert TEXT.startswith(data)
    assert len(data) >= len(TEXT) - 1


def stored_block(text: bytes, complement: int = 0xFFFF) -> bytes:
    """A block of a deflate stream that is not compressed: its length, the complement of that, the text."""
    return b"\0" + struct.pack("<2H", len(text), len(text) ^ complement) + text


def test_all_text_before_a_damaged_byte_is_kept(unpacked: Callable[..., Found]) -> None:
    header = gzip.compress(b"")[:10]
    damaged = header + stored_block(TEXT) + stored_block(VERSE) + stored_block(TEXT, complement=0xFFFE)
    whole = TEXT + VERSE
    assert unpacked(damaged) == [("gz", None, whole, f"gzip is damaged after {len(whole):,} bytes")]


def test_one_damage_is_told_once(unpacked: Callable[..., Found]) -> None:
    text = random.Random(7).randbytes(100_000)
    packed = gzip.compress(tarred({"a.txt": VERSE, "b.txt": text, "c.txt": VERSE}))
    whole, (container, member, data, error) = unpacked(packed[:50_000])
    assert whole == ("gz+tar", "a.txt", VERSE, None)
    assert (container, member, text.startswith(data)) == ("gz+tar", "b.txt", True)
    assert str(error).startswith("gzip ends too early after ")


def test_a_tar_that_was_cut_between_members_is_told(unpacked: Callable[..., Found]) -> None:
    packed = tarred({"a.txt": VERSE, "b.txt": TEXT})
    cut = packed[: packed.index(b"b.txt")]
    assert unpacked(cut) == [
        ("tar", "a.txt", VERSE, None),
        ("tar", None, b"", f"tar ends without its end mark after {len(cut):,} bytes"),
    ]


SMALL = {
    name: wrap(VERSE) if name in COMPRESSORS else ARCHIVERS[name]({"a.txt": VERSE, "b.txt": b"last\n"})
    for name, wrap in WRAPPERS.items()
}


@pytest.mark.parametrize("name", SMALL)
def test_truncation_at_any_byte_is_never_silent(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    packed = SMALL[name]
    whole = VERSE if name in COMPRESSORS else VERSE + b"last\n"
    for length in range(0, len(packed), 1 if len(packed) < 1_000 else 37):
        path.write_bytes(packed[:length])
        found = found_in(path)
        if [container for container, *_ in found] == ["file"]:
            assert readable(found) == packed[:length]
            continue
        assert whole.startswith(readable(found))
        if readable(found) != whole:
            assert any(error for *_, error in found), length


@pytest.mark.parametrize("name", SMALL)
@given(flips=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 7)), min_size=1, max_size=4))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_flipped_bits_raise_nothing_and_pass_no_checksum(
    tmp_path: Path, name: str, flips: list[tuple[int, int]]
) -> None:
    packed = bytearray(SMALL[name])
    for position, bit in flips:
        packed[position % len(packed)] ^= 1 << bit
    path = tmp_path / "file"
    path.write_bytes(packed)
    for container, _, data, error in found_in(path):
        # tar and lzma have no checksum over the text.
        if container not in ("file", "tar", "lzma") and error is None:
            assert data in (VERSE, b"last\n")


@given(
    data=st.binary(max_size=3_000),
    layers=st.lists(st.sampled_from(sorted(WRAPPERS)), min_size=1, max_size=5),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_come_back_from_any_nesting(tmp_path: Path, data: bytes, layers: list[str]) -> None:
    assume(container_of(data) is None)
    packed = data
    for layer in layers:
        packed = WRAPPERS[layer](packed)
    path = tmp_path / "file"
    path.write_bytes(packed)
    ((container, member, found, error),) = found_in(path)
    assert container == "+".join(reversed(layers))
    assert member == ("/".join("a.txt" for layer in layers if layer in ARCHIVERS) or None)
    assert (found, error) == (data, None)


@given(head=st.sampled_from(sorted(SMALL.values())), data=st.binary(max_size=2_000), kept=st.integers(0, 600))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_head_and_then_anything_raises_nothing(tmp_path: Path, head: bytes, data: bytes, kept: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(head[:kept] + data)
    for stream in walk_streams(path):
        assert stream.n_bytes == sum(len(block) for block in stream.blocks())
