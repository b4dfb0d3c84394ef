"""A file of a home is written, found, read and removed in the same words wherever it lies."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

from warehouse import files
from warehouse.errors import CorruptArtefact
from warehouse.home import Home
from warehouse.object_store import ObjectStore, store_of_home
from warehouse.textstore import TextWriter, number_of_rows, read_rows

TEXTS = [f"Letter {number}: the weather is fine, wish you were here." for number in range(1200)]


def write_texts(path: Path, texts: list[str]) -> None:
    with files.written_whole(path) as partial:
        writer = TextWriter(partial, pa.schema({"text": pa.string()}))
        for text in texts:
            writer.add({"text": text})
        writer.close()


def test_a_file_is_there_until_it_is_removed(home_anywhere: Home) -> None:
    path = home_anywhere.index / "a.parquet"
    assert not files.exists(path)
    files.write_bytes_whole(path, b"old")
    files.write_bytes_whole(path, b"new")
    files.write_bytes_whole(home_anywhere.tokens / "one" / "tokenizer.json", b"{}")
    assert files.exists(path)
    assert files.names(home_anywhere.index) == ["a.parquet"]
    assert files.names(home_anywhere.tokens, "*.json") == []
    assert files.folders(home_anywhere.tokens) == ["one"]
    assert files.folders(home_anywhere.index) == []
    assert files.names(home_anywhere.tokens / "one", "*.json") == ["tokenizer.json"]
    assert files.fetched(path).read_bytes() == b"new"
    files.remove(path)
    files.remove(path)
    assert not files.exists(path)
    assert not path.exists()


def test_a_store_that_fails_leaves_no_copy_that_is_to_be_removed(
    home_anywhere: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home_anywhere.index / "a.parquet"
    files.write_bytes_whole(path, b"forgotten")
    monkeypatch.setattr(ObjectStore, "remove", lambda *_: 1 / 0)
    with suppress(ZeroDivisionError):
        files.remove(path)
    assert not path.exists()


def test_rows_are_read_where_the_file_lies(home_anywhere: Home) -> None:
    path = home_anywhere.text / "letters.parquet"
    write_texts(path, TEXTS)
    assert read_rows(path, [1100, 3]) == [TEXTS[1100], TEXTS[3]]
    assert number_of_rows(path) == len(TEXTS)


def test_text_that_is_replaced_is_gone(home_anywhere: Home) -> None:
    path = home_anywhere.text / "letters.parquet"
    write_texts(path, TEXTS)
    write_texts(path, ["", *TEXTS[1:]])
    assert read_rows(path, [0, 1]) == ["", TEXTS[1]]


@pytest.mark.parametrize("room", ["text", "index"])
def test_a_write_that_fails_leaves_nothing(home_anywhere: Home, room: str) -> None:
    path = home_anywhere.root / room / "half.parquet"
    with suppress(ZeroDivisionError), files.written_whole(path) as partial:
        partial.write_bytes(b"half")
        raise ZeroDivisionError
    assert not files.exists(path)
    assert list(path.parent.iterdir()) == []


def test_a_missing_or_damaged_text_file_is_named(home_anywhere: Home) -> None:
    with pytest.raises(CorruptArtefact, match=r"gone\.parquet"):
        read_rows(home_anywhere.text / "gone.parquet", [0])
    files.write_bytes_whole(home_anywhere.text / "noise.parquet", b"PAR1 is not enough PAR1")
    with pytest.raises(CorruptArtefact, match=r"noise\.parquet"):
        read_rows(home_anywhere.text / "noise.parquet", [0])


def test_a_store_keeps_text_alone_and_copies_of_the_rest(home_anywhere: Home) -> None:
    files.write_bytes_whole(home_anywhere.text / "a.parquet", b"text")
    files.write_bytes_whole(home_anywhere.index / "b.parquet", b"index")
    if store_of_home(home_anywhere.root) is None:
        assert files.address(home_anywhere.text / "a.parquet") == str(home_anywhere.text / "a.parquet")
        return
    assert not (home_anywhere.text / "a.parquet").exists()
    (home_anywhere.index / "b.parquet").unlink()
    assert files.fetched_all([home_anywhere.index / "b.parquet"])[0].read_bytes() == b"index"


def test_what_arrives_must_have_its_hash(home_anywhere: Home) -> None:
    path = home_anywhere.index / "a.parquet"
    files.write_bytes_whole(path, b"other bytes")
    if store_of_home(home_anywhere.root) is None:
        return
    path.unlink()
    with pytest.raises(CorruptArtefact, match="hash"):
        files.fetched(path, sha256=bytes(32))
    assert not path.exists()


def test_a_folder_is_stored_when_it_is_finished(home_anywhere: Home) -> None:
    folder = home_anywhere.models / "night" / "trunk"
    (folder / "model").mkdir(parents=True)
    files.write_bytes_whole(folder / "model" / "config.json", b"{}")
    files.write_bytes_whole(folder / "superseded.json", b"{}")
    files.write_bytes_whole(folder / "lock", b"")
    files.store_folder(folder, without=["lock"])
    (folder / "superseded.json").unlink()
    files.store_folder(folder, without=["lock"])
    if store_of_home(home_anywhere.root):
        shutil.rmtree(folder)
    files.fetched_folder(folder)
    assert [path.name for path in folder.rglob("*.json")] == ["config.json"]
    assert (folder / "lock").exists() == (store_of_home(home_anywhere.root) is None)


def test_paths_outside_a_home_are_nobodys_business(home_anywhere: Home, tmp_path: Path) -> None:
    path = tmp_path / "text" / "own.txt"
    files.write_bytes_whole(path, b"mine")
    assert path.read_bytes() == b"mine"
    assert files.fetched(tmp_path / "text" / "none.txt") == tmp_path / "text" / "none.txt"
