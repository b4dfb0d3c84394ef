"""From a file with private data to tokens without it, and back to its bytes; and text without what is taken out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakesmrt_assets.stages.lineage_audit import N_SAMPLED, audit_model
from tests.stages.conftest import STAGES, context_of, run_all, write_topics
from warehouse.cleanser.privacy import find_private, mask
from warehouse.corpora import Registration, register
from warehouse.database import Warehouse, query
from warehouse.home import Home
from warehouse.plan import plan_stages
from warehouse.recipes import PassageRules, Recipe
from warehouse.stages import source_file
from warehouse.stages.masking import Mask, apply_mask, leaving_out_version
from warehouse.stages.shard import ASSET
from warehouse.stages.stage import StageReport
from warehouse.textstore import read_rows
from warehouse.tokens.shards import open_shard
from warehouse.tokens.tokenizer import Tokenizer

EMAIL, PHONE = "jane.doe@press.org", "+44 20 7946 0958"
FOOTER = f"\n\nThese letters are edited by volunteers; report an error to {EMAIL}, please.\n"
EVERY, N_FOOTERS = 3, 12


def write_letters(folder: Path) -> int:
    """One file a documentation topic, to every third of which an address and a number are added, and to twelve others
    of one chunk a footer with an address; how many have both."""
    write_topics(folder)
    paths = sorted(folder.glob("*.txt"))
    others = [path for path in paths if path not in paths[::EVERY]]
    for path in [path for path in others if 500 < path.stat().st_size < 1800][:N_FOOTERS]:
        path.write_text(path.read_text().rstrip() + FOOTER)
    chosen = sorted(folder.glob("*.txt"))[::EVERY]
    for path in chosen:
        path.write_text(f"Write to {EMAIL} or call {PHONE} about {path.stem}.\n\n" + path.read_text())
    return len(chosen)


@dataclass(frozen=True)
class Letters:
    """A home that was built of the letters, what its stages said, and how many letters hold private data."""

    warehouse: Warehouse
    reports: dict[str, StageReport]
    n_private: int


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Letters:
    root = tmp_path_factory.mktemp("letters")
    n_private = write_letters(root / "letters")
    warehouse = Warehouse(Home(root / "home"))
    warehouse.initialise("salt")
    with warehouse.write("test") as connection:
        register(connection, Registration("letters", [str(root / "letters")], "CC0-1.0"))
    return Letters(warehouse, run_all(context_of(warehouse)), n_private)


def shard_texts(warehouse: Warehouse) -> dict[str, tuple[str, int]]:
    """Text and bytes that the shards hold for each chunk, by the chunk's id."""
    with warehouse.read() as connection:
        paths = connection.execute("SELECT path FROM tokens.shard ORDER BY path").fetchall()
    texts = {}
    for (path,) in paths:
        manifest = (warehouse.home.tokens / path).with_suffix(".json")
        shard = open_shard(manifest, verify=True)
        tokenizer = Tokenizer.from_file(manifest.parent / "tokenizer.json")
        for row in shard.index:
            text = tokenizer.decode(shard.tokens[int(row["token_start"]) + 1 : int(row["token_end"])])
            texts[row["chunk_id"].tobytes().hex()] = (text, int(row["n_bytes"]))
    return texts


def stored_texts(warehouse: Warehouse) -> dict[str, str]:
    with warehouse.read() as connection:
        places = connection.execute("SELECT chunk_id, text_file, text_row FROM corpus.chunk").fetchall()
    return {chunk_id.hex: read_rows(warehouse.home.text / file, [row])[0] for chunk_id, file, row in places}


def without_repeated_footers(warehouse: Warehouse, texts: dict[str, str]) -> dict[str, str]:
    """The texts with the footer in its first copy alone."""
    with warehouse.read() as connection:
        rows = connection.execute(
            "SELECT chunk_id FROM corpus.repeated_range WHERE is_first AND n_documents = ?", [N_FOOTERS]
        ).fetchall()
    first = {chunk_id.hex for (chunk_id,) in rows}
    assert sum(FOOTER.strip() in texts[chunk_id] for chunk_id in first) == 1
    ends = {key: "\n" if text.endswith("\n") else "" for key, text in texts.items()}
    return {key: text if key in first else text.replace(FOOTER, ends[key]) for key, text in texts.items()}


def test_private_ranges_are_recorded_and_the_text_is_stored_as_it_is(
    letters: Letters,
) -> None:
    warehouse = letters.warehouse
    stored = stored_texts(warehouse)
    with warehouse.read() as connection:
        rows = connection.execute(
            "SELECT chunk_id, kind, char_start, char_end FROM corpus.private_range ORDER BY chunk_id, char_start"
        ).fetchall()
    assert {(kind, stored[chunk_id.hex][start:end]) for chunk_id, kind, start, end in rows} == {
        ("email", EMAIL),
        ("phone", PHONE),
    }
    expected = {
        (key, item.kind, item.char_start) for key, text in stored.items() for item in find_private(text)
    }
    assert {(chunk_id.hex, kind, start) for chunk_id, kind, start, _ in rows} == expected
    assert len(rows) == len(expected) == 2 * letters.n_private + N_FOOTERS


def test_tokens_are_of_the_masked_text_without_repeated_passages_and_count_its_bytes(
    letters: Letters,
) -> None:
    warehouse, reports = letters.warehouse, letters.reports
    stored, sharded = stored_texts(warehouse), shard_texts(warehouse)
    expected = without_repeated_footers(warehouse, stored)
    assert any(EMAIL in stored[chunk_id] for chunk_id in sharded)
    for chunk_id, (text, n_bytes) in sharded.items():
        # The default recipe masks e-mail addresses and leaves phone numbers.
        assert text == expected[chunk_id].replace(EMAIL, "email@example.com")
        assert n_bytes == len(text.encode())
    assert reports[ASSET].counts["n_ranges_masked"] == sum(
        stored[chunk_id].count(EMAIL) for chunk_id in sharded
    )
    n_left_out = sum(FOOTER.strip() in stored[key] and FOOTER.strip() not in expected[key] for key in sharded)
    assert reports[ASSET].counts["n_passages_left_out"] == n_left_out > N_FOOTERS // 2
    with warehouse.read() as connection:
        n_bytes = connection.execute("SELECT sum(n_bytes)::BIGINT FROM tokens.shard").fetchall()[0][0]
    assert n_bytes == sum(n for _, n in sharded.values())


def test_the_audit_reproduces_the_tokens_from_raw_bytes_also_after_the_counts_have_changed(
    letters: Letters,
) -> None:
    warehouse, model = letters.warehouse, UUID(int=7)
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
    assert audit.n_untraced == audit.not_held == 0
    with warehouse.write("test") as connection:
        rows = connection.sql("FROM corpus.repeated_range").to_arrow_table()
        connection.execute("DELETE FROM corpus.repeated_range")
    assert audit_model(context_of(warehouse), model) == audit
    with warehouse.write("test") as connection:
        connection.register("rows", rows)
        connection.execute("INSERT INTO corpus.repeated_range FROM rows")
        connection.execute("DELETE FROM models.checkpoint")
        connection.execute("DELETE FROM models.checkpoint_range")


def test_the_example_query_shows_where_and_by_which_recipe_and_never_what(
    letters: Letters,
) -> None:
    warehouse = letters.warehouse
    with warehouse.read() as connection:
        rows = connection.execute(query("examples/private_ranges")).fetchall()
    assert {(row[3], tuple(row[6] or ())) for row in rows} == {("email", ("default",)), ("phone", ())}
    assert EMAIL not in str(rows)
    assert PHONE not in str(rows)


def test_another_choice_writes_the_shards_again_and_the_plan_says_why(
    letters: Letters,
) -> None:
    warehouse, before = letters.warehouse, letters.reports
    run_all(context_of(warehouse))  # Files younger than two seconds were hashed once more.
    (warehouse.home.recipes / "default.toml").write_text("[privacy]\nmask = ['phone']\n")
    versions = {stage.ASSET: stage.version for stage in STAGES if stage is not source_file}
    upstream = {ASSET: ["corpus/training_chunk"]}
    planned = plan_stages(
        context_of(warehouse), versions, {asset: upstream.get(asset, []) for asset in versions}
    )
    reasons = {stage.asset: stage.reason for stage in planned if stage.runs}
    assert reasons["tokens/shard"] == "corpus/training_chunk, privacy changed"
    assert set(reasons) <= {"corpus/source_file", "corpus/training_chunk", "tokens/shard"}
    report = run_all(context_of(warehouse))[ASSET]
    assert report.counts["n_shards_written"] == before[ASSET].n_rows
    expected = without_repeated_footers(warehouse, stored_texts(warehouse))
    for chunk_id, (text, _) in shard_texts(warehouse).items():
        assert text == expected[chunk_id].replace(PHONE, "+1-555-0100")


def test_ranges_go_with_the_chunks_whose_text_is_lost(
    letters: Letters,
) -> None:
    warehouse = letters.warehouse
    with warehouse.write("test") as connection:
        files = connection.execute("SELECT DISTINCT text_file FROM corpus.chunk").fetchall()
        for statement in connection.extract_statements(query("take_out_text_file")):
            connection.execute(statement, {"text_file": files[0][0]} if statement.named_parameters else {})
        orphans = connection.execute(
            "SELECT count(*) FROM corpus.private_range ANTI JOIN corpus.chunk USING (chunk_id)"
        ).fetchall()
        assert orphans == [(0,)]
    run_all(context_of(warehouse))
    test_private_ranges_are_recorded_and_the_text_is_stored_as_it_is(letters)


def without(text: str, *passages: str) -> str:
    """The text without some passages, each of which stands in it once."""
    ranges = sorted((text.index(passage), text.index(passage) + len(passage)) for passage in passages)
    return apply_mask(text, Mask(tuple(find_private(text)), tuple(ranges)))


def test_one_paragraph_break_stays_where_a_paragraph_was() -> None:
    text = "One.\n\nTwo.\n\n\nThree,\nfour.\n"
    assert without(text, "Two.\n\n\n") == "One.\n\nThree,\nfour.\n"
    assert without(text, "One.\n\n") == "Two.\n\n\nThree,\nfour.\n"
    assert without(text, "Three,\nfour.\n") == "One.\n\nTwo.\n"
    assert without(text, "Three,\n", "four.\n") == "One.\n\nTwo.\n"
    assert without(text, "four.\n") == "One.\n\nTwo.\n\n\nThree,\n"
    assert without(text, text) == ""


def test_lines_that_are_all_of_a_paragraph_leave_no_hole() -> None:
    text = "One.\n\n* two\n* three\n\nFour."
    assert without(text, "* two\n", "* three\n") == "One.\n\nFour."
    assert without(text, "* two\n") == "One.\n\n* three\n\nFour."
    assert without("One,\ntwo,\nthree.\n\nFour.", "two,\n", "three.\n") == "One,\n\nFour."


def test_private_data_is_masked_beside_what_is_left_out_and_over_its_edge() -> None:
    text = f"Write to {EMAIL}.\n\nFooter of {EMAIL}\n\nThe end of {EMAIL}."
    assert (
        without(text, f"Footer of {EMAIL}\n\n")
        == "Write to email@example.com.\n\nThe end of email@example.com."
    )
    # Half of a private range is left out: the other half is masked all the same.
    cut = text.index("press.org")
    half = apply_mask(text, Mask(tuple(find_private(text)), ((cut, len(text)),)))
    assert half == "Write to email@example.com"
    other_half = apply_mask(text, Mask(tuple(find_private(text)), ((0, cut),)))
    assert other_half == text[cut:].replace("press.org.", "email@example.com.", 1).replace(
        EMAIL, "email@example.com"
    )


LINES = st.lists(
    st.tuples(st.sampled_from(["", EMAIL, "a line", "\t", f"call {PHONE}"]), st.booleans()), max_size=8
)


@settings(deadline=None, max_examples=200)
@given(LINES)
def test_what_stays_is_in_order_and_nothing_private_or_left_out_is_in_it(
    lines: list[tuple[str, bool]],
) -> None:
    numbered = [
        (f"{line} {number}" if line.strip() else line, out) for number, (line, out) in enumerate(lines)
    ]
    text = "\n".join(line for line, _ in numbered)
    starts = [sum(len(line) + 1 for line, _ in numbered[:number]) for number in range(len(numbered))]
    left_out = tuple(
        (start, min(start + len(line) + 1, len(text)))
        for start, (line, out) in zip(starts, numbered, strict=True)
        if out and line.strip()
    )
    result = apply_mask(text, Mask(tuple(find_private(text)), left_out))
    stays = [line for line, out in numbered if line.strip() and not out]
    expected = [mask(line, find_private(line), {"email", "phone"}) for line in stays]
    assert [line for line in result.split("\n") if line.strip()] == expected
    if not left_out:
        assert result == mask(text, find_private(text), {"email", "phone"})


def test_the_rules_on_passages_are_part_of_the_version_and_none_have_no_number() -> None:
    default = Recipe("letters")
    fewer = Recipe("letters", passages=PassageRules(min_documents=3))
    assert leaving_out_version(default) != leaving_out_version(fewer)
    nothing = [Recipe("letters", passages=PassageRules(remove=(), min_documents=least)) for least in (2, 10)]
    assert len({leaving_out_version(recipe) for recipe in nothing}) == 1
