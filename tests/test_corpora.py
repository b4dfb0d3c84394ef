"""Registering corpora, their licences, and finding their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.corpora import Registration, find_files, locations_of, register
from warehouse.database import Warehouse
from warehouse.demo_corpora import PREFIX, demo_registrations
from warehouse.errors import InputUnreadable, InvalidConfiguration
from warehouse.licences import canonical_licence, read_licence_file


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("mit", "MIT"),
        ("apache-2.0 or mit", "Apache-2.0 OR MIT"),
        ("LicenseRef-Letters", "LicenseRef-Letters"),
    ],
)
def test_a_licence_is_written_as_spdx_writes_it(given: str, canonical: str) -> None:
    assert canonical_licence(given) == canonical


@pytest.mark.parametrize(
    ("given", "message"),
    [("Apache2", "Apache-2.0"), ("public domain", "LicenseRef-public-domain"), ("", "no SPDX licence")],
)
def test_an_unknown_licence_is_refused_with_a_way_out(given: str, message: str) -> None:
    with pytest.raises(InvalidConfiguration, match=message):
        canonical_licence(given)


def test_a_licence_file_names_files_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).touch()
    rows = f"path,licence\nlink/one.txt,mit\n{tmp_path}/two.txt,CC0-1.0\n"
    (tmp_path / "licences.csv").write_text(rows)
    assert read_licence_file(tmp_path / "licences.csv") == {
        tmp_path / "link" / "one.txt": "MIT",
        tmp_path / "two.txt": "CC0-1.0",
    }


@pytest.mark.parametrize(("row", "message"), [("gone.txt,MIT", "not there"), ("one.txt", "Line 2.*lacks")])
def test_a_line_of_a_licence_file_that_means_nothing_is_named(tmp_path: Path, row: str, message: str) -> None:
    (tmp_path / "licences.csv").write_text(f"path,licence\n{row}\n")
    with pytest.raises(InputUnreadable, match=message):
        read_licence_file(tmp_path / "licences.csv")


def test_a_licence_file_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "licences.csv").write_text("file,license\none.txt,mit\n")
    with pytest.raises(InputUnreadable, match="path, licence"):
        read_licence_file(tmp_path / "licences.csv")


def test_a_place_where_nothing_is_cannot_be_watched(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable, match="There is nothing at"), warehouse.write("test") as connection:
        register(connection, Registration("letters", [str(tmp_path / "nowhere")], "MIT"))
    with warehouse.read() as connection:
        assert connection.execute("FROM corpus.corpus").fetchall() == []


@pytest.mark.parametrize("name", ["", "a/b", "../up", "two words"])
def test_a_name_that_could_be_a_path_is_refused(warehouse: Warehouse, tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(InvalidConfiguration, match="cannot name a corpus"),
        warehouse.write("test") as connection,
    ):
        register(connection, Registration(name, [str(tmp_path)], "MIT"))


def test_registering_again_adds_places_and_renews_the_licence(warehouse: Warehouse, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with warehouse.write("test") as connection:
        register(
            connection,
            Registration("letters", [str(tmp_path / "one")], "MIT", "https://letters.example", weight=3.0),
        )
        register(connection, Registration("letters", [str(tmp_path / "two")], "CC0-1.0"))
        rows = connection.execute("SELECT licence, url, weight FROM corpus.corpus").fetchall()
        assert rows == [("CC0-1.0", "https://letters.example", 3.0)]
        assert len(locations_of(connection, ())) == 2
        with pytest.raises(InvalidConfiguration, match="Registered are: letters"):
            locations_of(connection, ("diaries",))


def test_files_are_found_once_hidden_ones_and_circles_are_not(tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "deeper" / "a.txt").touch()
    (tmp_path / "b.txt").touch()
    (tmp_path / ".hidden").touch()
    (tmp_path / "deep" / "circle").symlink_to(tmp_path)
    names = [Path(path).name for path in find_files(str(tmp_path))]
    assert names == ["b.txt", "a.txt"]
    assert [Path(path).name for path in find_files(str(tmp_path / "**" / "*.txt"))] == ["b.txt", "a.txt"]


def test_the_demo_has_text_and_a_licence_for_each_corpus(tmp_path: Path) -> None:
    registrations = demo_registrations(tmp_path)
    assert {"library", "topics", "licences", "packages"} == {
        r.corpus.removeprefix(PREFIX) for r in registrations
    }
    assert all(canonical_licence(r.licence) for r in registrations)
    assert sum(1 for r in registrations for path in r.paths for _ in find_files(path)) > 100
