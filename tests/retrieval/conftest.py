"""A home with a few texts in several scripts, whose word index is built and published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from warehouse.corpora import Registration, register
from warehouse.database import Warehouse
from warehouse.home import Home
from warehouse.stages import chunk, document, search_index, source_file
from warehouse.stages.stage import BuildSettings, StageContext, StageReport

TEXTS = {
    "engine.txt": "A steam engine turns heat into motion.\n\nThe engine of a ship is larger than that of a mill.\n",
    "mill.txt": "The mill by the river ground corn, and the miller's cat slept on the sacks.\n",
    "tower.txt": "東京タワーは東京都港区にある電波塔です。夜になると明るく光ります。\n",
    "thai.txt": "แม่น้ำเจ้าพระยาไหลผ่านกรุงเทพมหานครและลงสู่อ่าวไทย\n",
    "school.txt": "L'ÉCOLE est fermée en été; l'école ouvre en septembre, et les élèves y reviennent.\n",
    "korean.txt": "한국은 산이 많은 나라이다. 서울은 한국의 수도이다.\n",
}


def settled(context: StageContext) -> StageReport:
    """Run the stages up to the word index; the report is the last one's."""
    for stage in (source_file, document, chunk):
        stage.run(context)
    return search_index.run(context)


@pytest.fixture
def library(tmp_path: Path, home: Home) -> Path:
    """The folder that the home watches."""
    folder = tmp_path / "library"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    with Warehouse(home).write("test") as connection:
        register(connection, Registration("library", [str(folder)], "CC0-1.0"))
    return folder


@pytest.fixture
def context(home: Home) -> StageContext:
    return StageContext(Warehouse(home), BuildSettings(workers=1))


@pytest.fixture
def indexed(library: Path, context: StageContext) -> Warehouse:
    """The home, built as far as the word index, and published."""
    settled(context)
    context.warehouse.publish()
    return context.warehouse


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Such a home, made once, for looking only."""
    root = tmp_path_factory.mktemp("retrieval")
    folder = root / "library"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    warehouse = Warehouse(Home(root / "home"))
    warehouse.initialise("a salt for tests")
    with warehouse.write("test") as connection:
        register(connection, Registration("library", [str(folder)], "CC0-1.0"))
    settled(StageContext(warehouse, BuildSettings(workers=1)))
    warehouse.publish()
    return warehouse


@pytest.fixture
def found(built: Warehouse) -> Callable[..., list[str]]:
    """Names of the files that a search finds, best first."""
    from warehouse.retrieval.search import search

    def ask(question: str, **arguments: object) -> list[str]:
        with built.read_published() as connection:
            hits = search(connection, question, **arguments)  # type: ignore[arg-type]  # as the test gives them
            sql = "SELECT path FROM lineage.chunk_source WHERE chunk_id = ?"
            return [Path(connection.execute(sql, [hit.chunk_id]).fetchall()[0][0]).name for hit in hits]

    return ask
