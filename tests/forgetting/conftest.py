"""A home whose corpus stages have run over some letters, and which published what it found."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
from pathlib import Path

import pytest

from tests.stages.conftest import STAGES, context_of
from warehouse import publishing
from warehouse.corpora import Registration, register
from warehouse.database import Warehouse
from warehouse.home import Home

WORDS = tuple(
    word
    for line in (
        "harbour winter letter garden stone river evening lantern copper bridge orchard silver window market thunder",
        "journey candle meadow anchor violin pepper marble canyon feather timber saddle whistle glacier",
    )
    for word in line.split()
)


def letter(number: int, n_words: int = 80) -> str:
    """English-looking text that no other number gives; its first line becomes its title."""
    draw = random.Random(number)
    words = [f"{draw.choice(WORDS)}{draw.randrange(1000)}" if draw.random() < 0.3 else draw.choice(WORDS)
             for _ in range(n_words)]  # fmt: skip
    spoken = [f"the {word} and" if place % 6 == 0 else word for place, word in enumerate(words)]
    return f"{' '.join(spoken[:8])}\n\n{' '.join(spoken[8:])}.\n"


def note(number: int) -> str:
    """A record with a letter."""
    return json.dumps({"id": number, "text": letter(1000 + number)})


@dataclasses.dataclass(frozen=True)
class Letters:
    """A home with its raw files."""

    warehouse: Warehouse
    folder: Path

    def build(self, last: str = "tokens/shard") -> None:
        """The stages up to one of them, and publishing."""
        context = context_of(self.warehouse, recipe="default")
        for stage in STAGES:
            stage.run(context)
            if last == stage.ASSET:
                break
        publishing.publish(self.warehouse)

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of the working database."""
        with self.warehouse.read() as connection:
            return connection.execute(sql).fetchall()


def make_letters(root: Path) -> Letters:
    """Forty letters, and notes that are records of one file: so many that every split has some, wherever they lie."""
    folder = root / "letters"
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"{number:03}.txt").write_text(letter(number))
    records = [f"{note(number)}\n" for number in range(400)]
    (folder / "notes.jsonl").write_text("".join(records))
    warehouse = Warehouse(Home(root / "home"))
    warehouse.initialise("a salt")
    with warehouse.write("test") as connection:
        register(connection, Registration("letters", [str(folder)], "CC0-1.0"))
    return Letters(warehouse, folder)


@pytest.fixture(scope="session")
def built_letters(tmp_path_factory: pytest.TempPathFactory) -> Letters:
    """Built once; for looking only."""
    letters = make_letters(tmp_path_factory.mktemp("letters"))
    letters.build()
    return letters


@pytest.fixture
def letters(built_letters: Letters, tmp_path: Path) -> Letters:
    """A copy of the built home, to forget from; the raw files are where they were."""
    root = tmp_path / "home"
    shutil.copytree(built_letters.warehouse.home.root, root, symlinks=True)
    return Letters(Warehouse(Home(root)), built_letters.folder)
