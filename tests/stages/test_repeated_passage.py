"""Which passages stand in several documents, and where."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from pydoc_data.topics import topics

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.stages.conftest import write_topics
from warehouse.corpora import Registration, register
from warehouse.database import Warehouse, query
from warehouse.home import Home
from warehouse.stages import chunk, document, repeated_passage, source_file
from warehouse.stages.stage import BuildSettings, StageContext, StageReport
from warehouse.textstore import read_rows

FOOTER = "This manual is maintained by volunteers; report an error to the list of its editors, please."
N_DOCUMENTS, N_TOPICS = 12, 40
UP_TO_HERE = (source_file, document, chunk)


def with_footer(folder: Path) -> list[Path]:
    """Twelve of the first topics end with a footer, each written a little otherwise."""
    write_topics(folder)
    for path in sorted(folder.glob("*.txt"))[N_TOPICS:]:
        path.unlink()
    chosen = [path for path in sorted(folder.glob("*.txt")) if 500 < path.stat().st_size < 1800][:N_DOCUMENTS]
    for number, path in enumerate(chosen):
        footer = FOOTER.upper() if number % 3 == 0 else FOOTER.replace(";", " -")
        path.write_text(path.read_text().rstrip() + f"\n\n{footer}\n")
    return chosen


def new_home(root: Path, *corpora: Path) -> Warehouse:
    warehouse = Warehouse(Home(root))
    warehouse.initialise("salt")
    with warehouse.write("test") as connection:
        for folder in corpora:
            register(connection, Registration(folder.name, [str(folder)], "CC0-1.0"))
    return warehouse


class InThreads(StageContext):
    """A build whose workers are threads: they start at once."""

    @contextmanager
    def executor(self) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(self.settings.workers) as executor:
            yield executor


def run_up_to_here(warehouse: Warehouse, workers: int = 1) -> StageReport:
    """Run the stages up to this one; its report."""
    context = InThreads(warehouse, BuildSettings(workers=workers))
    for stage in UP_TO_HERE:
        stage.run(context)
    return repeated_passage.run(context)


def repeated(warehouse: Warehouse) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """The rows of both tables, as they are stored."""
    with warehouse.read() as connection:
        passages = connection.execute("FROM corpus.repeated_passage").fetchall()
        return passages, connection.execute("FROM corpus.repeated_range").fetchall()


def footers(warehouse: Warehouse) -> list[tuple[str, bool]]:
    """Text and is_first of each repeated footer."""
    with warehouse.read() as connection:
        rows = connection.execute(
            """
            SELECT text_file, text_row, place.char_start, place.char_end, is_first
            FROM corpus.repeated_range AS place JOIN corpus.chunk USING (chunk_id) ORDER BY ALL
            """
        ).fetchall()
    texts = [
        (read_rows(warehouse.home.text / file, [row])[0][start:end], is_first)
        for file, row, start, end, is_first in rows
    ]
    return [(text, is_first) for text, is_first in texts if "maintained by volunteers" in text.casefold()]


def test_a_footer_is_found_in_every_document_in_increments_as_at_once(tmp_path: Path) -> None:
    chosen = with_footer(tmp_path / "manual")
    at_once = new_home(tmp_path / "at_once", tmp_path / "manual")
    run_up_to_here(at_once, workers=2)
    found = footers(at_once)
    assert len(found) == N_DOCUMENTS
    assert {text.strip().casefold().replace(" -", ";") for text, _ in found} == {FOOTER.casefold()}
    assert sum(is_first for _, is_first in found) == 1
    later = {path: path.read_text() for path in chosen[::2]}
    extra = tmp_path / "manual" / "extra.txt"
    extra.write_text(f"{topics['if']}\n\n{FOOTER}\n")
    for path in later:
        path.unlink()
    step_by_step = new_home(tmp_path / "steps", tmp_path / "manual")
    first = run_up_to_here(step_by_step)
    # A file that is gone counts no more; one that comes later counts as if it had always been there.
    extra.unlink()
    for path, text in reversed(later.items()):
        path.write_text(text)
    second = run_up_to_here(step_by_step)
    assert repeated(step_by_step) == repeated(at_once)
    assert int(second.counts["n_chunks_read"]) < int(first.counts["n_chunks_read"]) / 2


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Letters of which three are the same, drafts of them, and pages with a menu of two lines."""
    root = tmp_path_factory.mktemp("pages")
    for corpus, names in {"letters": "abc", "drafts": "de", "pages": "uvwxyz"}.items():
        (root / corpus).mkdir()
        for name in names:
            (root / corpus / f"{name}.txt").write_text(page(name) if corpus == "pages" else letter(name))
    for name in "fgh":
        (root / "letters" / f"{name}.txt").write_text(f"A note of its own.\n\n{topics['while']}")
    warehouse = new_home(root / "home", root / "letters", root / "drafts", root / "pages")
    run_up_to_here(warehouse)
    return warehouse


def letter(name: str) -> str:
    return f"{topics['if'].strip()}\n\nLetter {name * 9}.\n\n{FOOTER}\n"


def page(name: str) -> str:
    first, second = (
        f"* [Read what our readers wrote about the {what} of the year](/pages/)"
        for what in ("books", "plays")
    )
    if name in "yz":
        first = f"* Number {name * 5} of the yearly list of the new books that we have read"
    return f"{first}\n{second}\n\nPage {name}.\n"


def test_copies_of_a_document_count_as_one_and_each_corpus_keeps_its_first(pages: Warehouse) -> None:
    with pages.read() as connection:
        top = connection.execute(query("examples/repeated_passages")).fetchall()
    letters = [
        (n_documents, n_places, Path(path).name)
        for _, n_documents, n_places, _, _, path in top
        if n_documents == 5
    ]
    # The paragraphs of "while" stand in three files, which are one document; those of the letters in five documents.
    assert len(letters) >= 2
    assert {(n_documents, n_places) for n_documents, n_places, _ in letters} == {(5, 5)}
    assert {name for _, _, name in letters} <= {f"{name}.txt" for name in "abcde"}
    assert {n_documents for _, n_documents, *_ in top} == {4, 5, 6}
    assert [is_first for _, is_first in sorted(footers(pages))].count(True) == 2


def test_a_line_of_a_repeated_paragraph_goes_with_it_and_elsewhere_by_itself(pages: Warehouse) -> None:
    with pages.read() as connection:
        rows = connection.execute(
            """
            SELECT level, n_documents, paragraph_documents, count(*)
            FROM corpus.repeated_range WHERE n_documents <> 5 GROUP BY ALL ORDER BY ALL
            """
        ).fetchall()
        rule = {
            "chunking_id": connection.execute("SELECT chunking_id FROM corpus.chunk").fetchall()[0][0],
            "remove": ["paragraph", "line"],
            "keep_first": False,
        }
        at_least = {
            n: connection.execute(query("ranges_to_leave_out"), {**rule, "min_documents": n}).fetchall()
            for n in (4, 6)
        }
    # The menu's first line never stands without the paragraph, so it is not told apart from it.
    assert rows == [("line", 6, 1, 2), ("line", 6, 4, 4), ("paragraph", 4, 0, 4)]
    chunks = {chunk_id for chunk_id, _, _ in at_least[6]}
    assert len(at_least[6]) == len(chunks) == 6
    assert {start > 0 for _, start, _ in at_least[6]} == {True}
    assert (
        sorted(start > 0 for chunk_id, start, _ in at_least[4] if chunk_id in chunks)
        == [False] * 4 + [True] * 2
    )


def test_no_chunks_at_all(tmp_path: Path) -> None:
    members, nothing = tmp_path / "members.parquet", tmp_path / "nothing.parquet"
    no_id, no_text = pa.array([], pa.uuid()), pa.array([], pa.string())
    no_number, no_flag = pa.array([], pa.int32()), pa.array([], pa.bool_())
    names = ["chunk_id", "original_id", "ordinal", "corpus", "is_held_out"]
    parquet.write_table(pa.table([no_id, no_id, no_number, no_text, no_flag], names), members)
    parquet.write_table(repeated_passage.PASSAGE.empty_table(), nothing)
    repeated_passage.find_repeated(duckdb.connect(), members, [nothing], tmp_path)
    assert parquet.read_metadata(tmp_path / "ranges.parquet").num_rows == 0
    assert parquet.read_metadata(tmp_path / "passages.parquet").num_rows == 0
