"""Random access: a chunk by its id or its first digits, and its bytes."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.retrieval.conftest import TEXTS
from warehouse.database import Warehouse
from warehouse.errors import CorruptArtefact, InvalidConfiguration
from warehouse.retrieval.texts import chunk_texts, find_chunk_id, id_range, raw_bytes, stored_chunk


def test_every_chunk_is_found_by_its_id_with_its_text_and_its_bytes(indexed: Warehouse) -> None:
    with indexed.read_published() as connection:
        texts = dict(connection.execute("SELECT chunk_id, text FROM corpus.chunk_text").fetchall())
        assert len(texts) == len(TEXTS)
        assert chunk_texts(connection, indexed.home, list(texts)) == texts
        for chunk_id, text in texts.items():
            chunk = stored_chunk(connection, indexed.home, find_chunk_id(connection, str(chunk_id)[:13]))
            assert (chunk.chunk_id, chunk.text) == (chunk_id, text)
            assert raw_bytes(indexed.home, chunk.origin).decode().strip() == text.strip()


def test_ids_that_nothing_has_and_digits_that_fit_several_are_told(indexed: Warehouse) -> None:
    with indexed.read_published() as connection:
        for digits in ("", "xyz", "f" * 33, str(UUID(int=0))):
            with pytest.raises(InvalidConfiguration, match="There is no chunk"):
                find_chunk_id(connection, digits)
        with pytest.raises(InvalidConfiguration, match="There is no chunk"):
            chunk_texts(connection, indexed.home, [UUID(int=0)])
        firsts = [
            str(chunk_id)[0]
            for (chunk_id,) in connection.execute("SELECT chunk_id FROM corpus.chunk_place").fetchall()
        ]
        for digit in sorted({first for first in firsts if firsts.count(first) > 1}):
            with pytest.raises(InvalidConfiguration, match="Several chunks begin with"):
                find_chunk_id(connection, digit)


def test_digits_of_an_id_enclose_every_id_that_begins_so() -> None:
    assert id_range("a7f-0") == (UUID("a7f00000" + 24 * "0"), UUID("a7f0ffff" + 24 * "f"))
    assert id_range("g") is None


def test_a_text_file_that_is_gone_is_told_with_its_remedy(indexed: Warehouse) -> None:
    with indexed.read_published() as connection:
        [(chunk_id,)] = connection.execute("SELECT min(chunk_id) FROM corpus.chunk_place").fetchall()
        for path in indexed.home.text.iterdir():
            path.unlink()
        with pytest.raises(CorruptArtefact, match="doctor"):
            stored_chunk(connection, indexed.home, chunk_id)
