"""Passages that stand in several documents: found once, left out of tokens, and replayed from raw bytes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from pydoc_data.topics import topics
from uuid import UUID

import pytest

from fakesmrt_assets.stages.lineage_audit import N_SAMPLED, audit_model
from tests.stages.conftest import STAGES, context_of, write_topics
from warehouse.corpora import Registration, register
from warehouse.database import Warehouse, query
from warehouse.home import Home
from warehouse.stages import chunk, document, repeated_passage, source_file
from warehouse.stages.shard import ASSET as SHARD
from warehouse.stages.stage import BuildSettings, StageContext, StageReport
from warehouse.textstore import read_rows
from warehouse.tokens.shards import open_shard
from warehouse.tokens.tokenizer import Tokenizer

FOOTER = "This manual is maintained by volunteers; report an error to the list of its editors, please."
N_DOCUMENTS = 12
UP_TO_HERE = (source_file, document, chunk)


def with_footer(folder: Path) -> list[Path]:
    """Twelve of the topics end with a footer, each written a little otherwise."""
    write_topics(folder)
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


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, dict[str, StageReport]]:
    root = tmp_path_factory.mktemp("manual")
    with_footer(root / "manual")
    warehouse = new_home(root / "home", root / "manual")
    context = InThreads(warehouse, BuildSettings(workers=1))
    return warehouse, {stage.ASSET: stage.run(context) for stage in STAGES}


def test_a_footer_is_found_in_every_document_and_the_first_copy_is_marked(
    manual: tuple[Warehouse, dict[str, StageReport]],
) -> None:
    warehouse, _ = manual
    found = footers(warehouse)
    assert len(found) == N_DOCUMENTS
    assert {text.strip().casefold().replace(" -", ";") for text, _ in found} == {FOOTER.casefold()}
    assert sum(is_first for _, is_first in found) == 1


def test_tokens_leave_out_all_but_the_first_copy(
    manual: tuple[Warehouse, dict[str, StageReport]],
) -> None:
    warehouse, reports = manual
    with warehouse.read() as connection:
        paths = connection.execute("SELECT path FROM tokens.shard ORDER BY path").fetchall()
        n_recorded = connection.execute("SELECT count(*) FROM tokens.left_out").fetchall()[0][0]
    texts = []
    for (path,) in paths:
        shard = open_shard((warehouse.home.tokens / path).with_suffix(".json"), verify=True)
        tokenizer = Tokenizer.from_file(warehouse.home.tokens / Path(path).parent / "tokenizer.json")
        for row in shard.index:
            text = tokenizer.decode(shard.tokens[int(row["token_start"]) + 1 : int(row["token_end"])])
            assert int(row["n_bytes"]) == len(text.encode())
            texts.append(text)
    assert sum("maintained by volunteers" in text.casefold() for text in texts) == 1
    assert reports[SHARD].counts["n_passages_left_out"] == n_recorded == N_DOCUMENTS - 1


def test_the_audit_reproduces_the_tokens_from_raw_bytes_also_after_the_counts_have_changed(
    manual: tuple[Warehouse, dict[str, StageReport]],
) -> None:
    warehouse, model = manual[0], UUID(int=7)
    with warehouse.write("test") as connection:
        connection.execute(
            """
            INSERT INTO models.checkpoint
            VALUES ($1, 'night', 'default', 'micromodel', 0, 1, '1mx', 1, 'x'::BLOB, 2.0, 0, NULL, 'night', now())
            """,
            [model],
        )
        connection.execute(
            """
            INSERT INTO models.checkpoint_range
            SELECT $1, shard_id, 0, n_tokens, 1 FROM tokens.shard WHERE split = 'train'
            """,
            [model],
        )
    audit = audit_model(context_of(warehouse), model)
    assert audit.failures == ()
    assert audit.n_replayed == min(N_SAMPLED, audit.n_chunks)
    with warehouse.write("test") as connection:
        connection.execute("UPDATE corpus.repeated_range SET n_documents = 1")
    assert audit_model(context_of(warehouse), model) == audit


def test_increments_and_two_workers_give_what_one_run_gives(tmp_path: Path) -> None:
    chosen = with_footer(tmp_path / "manual")
    at_once = new_home(tmp_path / "at_once", tmp_path / "manual")
    run_up_to_here(at_once, workers=2)
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


def test_copies_of_a_document_count_as_one_and_each_corpus_keeps_its_first(tmp_path: Path) -> None:
    body = topics["if"].strip()
    for corpus, names in {"letters": "abc", "drafts": "de"}.items():
        (tmp_path / corpus).mkdir()
        for name in names:
            (tmp_path / corpus / f"{name}.txt").write_text(f"{body}\n\nLetter {name * 9}.\n\n{FOOTER}\n")
    for name in "xyz":
        (tmp_path / "letters" / f"{name}.txt").write_text(f"A note of its own.\n\n{topics['while']}")
    warehouse = new_home(tmp_path / "home", tmp_path / "letters", tmp_path / "drafts")
    run_up_to_here(warehouse)
    with warehouse.read() as connection:
        counts = connection.execute(
            "SELECT DISTINCT n_documents, n_occurrences FROM corpus.repeated_passage"
        ).fetchall()
        first = connection.execute(query("examples/repeated_passages")).fetchall()
    # Three documents are the same: what they say stands in one document. The others' passages stand in five.
    assert counts == [(5, 5)]
    assert {Path(row[-1]).name for row in first} <= {f"{name}.txt" for name in "abcde"}
    assert sum(is_first for _, is_first in footers(warehouse)) == 2


def test_a_line_of_a_repeated_paragraph_goes_with_it_and_elsewhere_by_itself(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    menu = [
        f"* [Read what our readers wrote about the {name} of the year](/pages/)"
        for name in ("books", "plays")
    ]
    for number in range(6):
        lines = (
            menu
            if number < 4
            else [f"* Number {'abcdef'[number] * 5} of the yearly list of new books", menu[1]]
        )
        (tmp_path / "pages" / f"{number}.txt").write_text(
            "\n".join(lines) + f"\n\nPage {'abcdef'[number]}.\n"
        )
    warehouse = new_home(tmp_path / "home", tmp_path / "pages")
    run_up_to_here(warehouse)
    with warehouse.read() as connection:
        rows = connection.execute(
            """
            SELECT level, n_documents, paragraph_documents, count(*)
            FROM corpus.repeated_range GROUP BY ALL ORDER BY ALL
            """
        ).fetchall()
        left_out = {
            least: connection.execute(
                query("ranges_to_leave_out"),
                {
                    "chunking_id": connection.execute("SELECT chunking_id FROM corpus.chunk").fetchall()[0][
                        0
                    ],
                    "remove": ["paragraph", "line"],
                    "min_documents": least,
                    "keep_first": False,
                },
            ).fetchall()
            for least in (2, 6)
        }
    # The first line never stands without the paragraph, so it is not told apart from it.
    assert rows == [("line", 6, 1, 2), ("line", 6, 4, 4), ("paragraph", 4, 0, 4)]
    assert len(left_out[2]) == len(left_out[6]) == 6
    assert {start > 0 for _, start, _ in left_out[6]} == {True}


def test_no_chunks_at_all(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "blank.txt").write_text(" \n")
    warehouse = new_home(tmp_path / "home", tmp_path / "empty")
    assert run_up_to_here(warehouse).n_rows == 0
