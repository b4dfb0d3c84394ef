"""From positions in the shards of a built home to raw bytes, whatever the files are; and what is said where not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from pydoc_data.topics import topics

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from tests.cleanser.samples import CONTAINERS, SAMPLES, STORIES
from tests.stages.conftest import STAGES, context_of
from warehouse.corpora import Registration, register
from warehouse.database import Connection, Warehouse, scalar
from warehouse.errors import InvalidConfiguration
from warehouse.home import Home
from warehouse.lineage.token_place import TokenPlace, find_shards, find_token
from warehouse.lineage.token_proof import READ, REPLAYED, STORED, TOKENS, prove
from warehouse.lineage.tracing import trace
from warehouse.lineage.tree import TraceNode
from warehouse.stages import chunk

EMAIL = "mate@ship.example.org"
FOOTER = f"Edited by nobody in particular; errors go to {EMAIL}, please.\n"
RECIPE = """
[quality]
min_words = 0
max_duplicate_line_character_share = 1.0
[duplicates]
level = "none"
[perplexity]
max_percentile = 1.0
[passages]
remove = ["paragraph"]
min_documents = 50
[privacy]
mask = ["email"]
"""
N_LETTERS = 60
HELD_OUT = {"validation": "strings", "select": "lambda", "confirm": "while", "report": "import"}
SPLIT_BY_NAME = """
UPDATE corpus.chunk
SET split = CASE
    WHEN parse_filename(source.path, true) IN ('validation', 'select', 'confirm', 'report')
        THEN parse_filename(source.path, true)
    ELSE 'train'
END
FROM lineage.chunk_source AS source
WHERE source.chunk_id = chunk.chunk_id
"""


def write_sources(folder: Path) -> None:
    """A file of each kind, archives, letters with an address and a footer that all of them have, and other text to
    hold out."""
    folder.mkdir()
    for split, topic in HELD_OUT.items():
        (folder / f"{split}.txt").write_text(topics[topic][:1500])
    for name, data in SAMPLES.items():
        (folder / name).write_bytes(data)
    for number, container in enumerate(("zip in tar", "tar.gz", "bz2")):
        deep = b"\xff\xfe" + f"Member {number} lies deep. {STORIES[number]}".encode("utf-16-le")
        (folder / f"packed-{number}").write_bytes(CONTAINERS[container](deep, "deep.txt"))
    for number, name in enumerate(sorted(topics)[:N_LETTERS]):
        letter = f"Letter {number} to {EMAIL} from the café.\n\n{topics[name][:300].strip()}\n\n"
        text = f"{letter}{FOOTER}\nThe end of {number}.".replace("\n", "\r\n")
        (folder / f"letter-{number:02}.txt").write_bytes(text.encode("cp1252"))


@pytest.fixture(scope="module")
def sources_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tokens")
    write_sources(root / "sources")
    warehouse = Warehouse(Home(root / "home"))
    warehouse.initialise("salt")
    (warehouse.home.recipes / "default.toml").write_text(RECIPE)
    with warehouse.write("test") as connection:
        register(connection, Registration("sources", [str(root / "sources")], "CC0-1.0"))
    for stage in STAGES:
        stage.run(context_of(warehouse))
        if stage is chunk:
            with warehouse.write("test") as connection:
                connection.execute(SPLIT_BY_NAME)
    return root


@pytest.fixture
def shards(sources_home: Path) -> Iterator[tuple[Connection, Home]]:
    """The working database, and the home."""
    warehouse = Warehouse(Home(sources_home / "home"))
    with warehouse.read() as connection:
        yield connection, warehouse.home


@pytest.fixture
def changeable(sources_home: Path, tmp_path: Path) -> Iterator[tuple[Connection, Home]]:
    """The same in a copy that a test may damage; its raw files are those of the original."""
    warehouse = Warehouse(
        Home(Path(shutil.copytree(sources_home / "home", tmp_path / "home", symlinks=True)))
    )
    with warehouse.write("test") as connection:
        yield connection, warehouse.home


def places(connection: Connection) -> Iterator[TokenPlace]:
    """The marker and a middle token of every chunk of every shard; of most letters none."""
    rows = connection.execute("""
        SELECT shard_id, token_start, token_end
        FROM tokens.shard_chunk
        JOIN lineage.chunk_source USING (chunk_id)
        WHERE path NOT LIKE '%letter-%' OR path LIKE '%letter-0%'
        ORDER BY shard_id, token_start
    """).fetchall()
    shards = {shard_id: find_shards(connection, str(shard_id))[0] for shard_id, _, _ in rows}
    for shard_id, start, end in rows:
        for token in (start, (start + 1 + end) // 2):
            yield find_token(connection, shards[shard_id], token)


def test_every_token_of_every_kind_of_file_is_proved_down_to_its_bytes(
    shards: tuple[Connection, Home],
) -> None:
    connection, home = shards
    readers, members = set(), set()
    for place in places(connection):
        proof = prove(place, home)
        assert proof.verdict == "whole", (place, proof.checks)
        assert [check.what for check in proof.checks] == [READ, REPLAYED, STORED, TOKENS]
        assert place.origin is not None
        readers.add(place.origin.reader)
        members.add(place.origin.container)
        if place.is_marker:
            assert (proof.token_id, proof.places) == (0, ())
            continue
        assert proof.spelled is not None
        for found in proof.places:
            assert found.raw is not None
            assert found.byte_start is not None
            assert found.byte_end is not None
            assert place.origin.byte_start <= found.byte_start < found.byte_end <= place.origin.byte_end
            if place.origin.member is None and place.origin.container == "file":
                raw = Path(place.origin.path).read_bytes()
                assert raw[found.byte_start : found.byte_end] == found.raw
        if len(proof.places) == 1 and proof.places[0].masked is None:
            assert proof.spelled.decode(errors="ignore") in proof.places[0].text
    assert readers >= {"plain", "markdown", "json", "csv", "html", "jats", "mediawiki", "xml"}
    assert members >= {"file", "tar+zip", "gz+tar", "bz2"}


def test_stand_ins_lead_to_private_data_and_what_follows_a_passage_that_is_left_out_to_its_place(
    shards: tuple[Connection, Home],
) -> None:
    connection, home = shards
    n_without_footer = scalar(connection, "SELECT count(DISTINCT chunk_id) FROM tokens.left_out")
    assert n_without_footer == N_LETTERS - 1
    place = next(place for place in places(connection) if place.is_marker and place.mask.left_out)
    assert place.origin is not None
    raw = Path(place.origin.path).read_bytes()
    proofs = [
        prove(find_token(connection, place.shard, token), home)
        for token in range(place.token_start + 1, place.token_end)
    ]
    assert b"".join(proof.spelled or b"" for proof in proofs).decode() == (
        raw.decode("cp1252")
        .replace("\r\n", "\n")
        .replace(FOOTER + "\n", "")
        .replace(EMAIL, "email@example.com")
    )
    found = [part for proof in proofs for part in proof.places]
    masked = {(part.masked, part.text, part.raw) for part in found if part.masked}
    assert masked == {("email", EMAIL, EMAIL.encode())}
    assert found[0].byte_start == 0
    assert found[-1].byte_end == len(raw)
    assert not any(part.raw and b"Edited by" in part.raw for part in found)
    behind = [part for part in found if part.char_start >= place.mask.left_out[0][1]]
    assert behind[0].byte_start == raw.index(b"The end of")


def test_a_shard_is_named_by_its_id_its_first_digits_and_its_file(shards: tuple[Connection, Home]) -> None:
    connection, home = shards
    shard_id, path = connection.execute(
        "SELECT shard_id, path FROM tokens.shard WHERE split = 'train' ORDER BY path LIMIT 1"
    ).fetchall()[0]
    expected = trace(connection, f"{shard_id}:1", home)
    stem = Path(path).stem
    for name in (shard_id.hex[:8].upper(), path, stem, f"{stem}.json", str(home.tokens / path)):
        assert trace(connection, f"{name}:1", home) == expected
    assert expected.kind == "token"
    assert expected.facts["proof"] == "whole"
    assert json.loads(json.dumps(expected.as_dict()))["kind"] == "token"
    kinds = {child.kind for child in expected.children}
    assert {"shard", "chunk", "decision", "bytes", "document", "source_file", "proof"} <= kinds


@pytest.mark.parametrize("token", ["999_999_999", "99999999999999999999999999"])
def test_a_position_that_the_shard_does_not_have_is_one_line(
    shards: tuple[Connection, Home], token: str
) -> None:
    connection, home = shards
    (path,) = connection.execute("SELECT path FROM tokens.shard ORDER BY path LIMIT 1").fetchall()[0]
    with pytest.raises(InvalidConfiguration, match="has the tokens 0 to") as raised:
        trace(connection, f"{path}:{token}", home)
    assert "\n" not in str(raised.value)
    with pytest.raises(InvalidConfiguration, match="Nothing in the Training Database is called"):
        trace(connection, "no-such-shard:5", home)


def verdicts(place: TokenPlace, home: Home) -> dict[str, bool | None]:
    return {check.what: check.holds for check in prove(place, home).checks}


def a_token(connection: Connection, reader: str = "plain") -> TokenPlace:
    return next(
        place
        for place in places(connection)
        if place.origin is not None
        and (place.origin.reader, place.origin.container) == (reader, "file")
        and not place.is_marker
    )


def test_a_raw_file_that_changed_or_is_gone_is_said_and_the_rest_is_proved(
    changeable: tuple[Connection, Home], tmp_path: Path
) -> None:
    connection, home = changeable
    place = a_token(connection)
    assert place.origin is not None
    moved = Path(shutil.copy(place.origin.path, tmp_path / "moved.txt"))
    connection.execute(
        "UPDATE corpus.source_file SET path = ? WHERE source_id = ?", [str(moved), place.origin.source_id]
    )
    place = find_token(connection, place.shard, place.token)
    assert prove(place, home).verdict == "whole"
    moved.write_bytes(moved.read_bytes() + b" and more")
    for what in ("changed", "No such file"):
        proof = prove(place, home)
        assert proof.verdict == "in part"
        assert verdicts(place, home) == {READ: None, STORED: True, TOKENS: True}
        assert what in str(proof.checks[0].note)
        assert proof.spelled is not None
        assert [found.raw for found in proof.places] == [None] * len(proof.places)
        moved.unlink(missing_ok=True)


def test_bytes_texts_and_tokens_that_are_not_the_recorded_ones_are_refuted(
    changeable: tuple[Connection, Home],
) -> None:
    connection, home = changeable
    place = a_token(connection)
    assert place.origin is not None
    tokens = home.tokens / str(place.shard.path)
    before = tokens.read_bytes()
    damaged = bytearray(before)
    damaged[2 * place.token] ^= 1
    tokens.write_bytes(damaged)
    assert verdicts(place, home) == {READ: True, REPLAYED: True, STORED: True, TOKENS: False}
    assert prove(place, home).verdict == "refuted"
    tokens.write_bytes(before)
    connection.execute(
        'UPDATE corpus.chunk SET repair = \'{"errors": "strict", "steps": [["next_lines"]]}\', byte_end = byte_end - 1 '
        "WHERE chunk_id = ?",
        [place.chunk_id],
    )
    changed = find_token(connection, place.shard, place.token)
    assert verdicts(changed, home) == {READ: True, REPLAYED: False, STORED: True, TOKENS: True}
    connection.execute("UPDATE corpus.chunk SET encoding = 'utf-32-le' WHERE chunk_id = ?", [place.chunk_id])
    unreadable = find_token(connection, place.shard, place.token)
    assert verdicts(unreadable, home) == {READ: True, REPLAYED: False, STORED: True, TOKENS: True}
    connection.execute(
        "UPDATE corpus.chunk SET text_row = (SELECT min(text_row) FROM corpus.chunk AS other WHERE "
        "other.text_file = chunk.text_file AND other.text_row <> chunk.text_row) WHERE chunk_id = ?",
        [place.chunk_id],
    )
    swapped = find_token(connection, place.shard, place.token)
    assert verdicts(swapped, home)[STORED] is False


def test_tokens_of_a_past_shard_are_traced_by_what_it_was_made_with(
    changeable: tuple[Connection, Home],
) -> None:
    connection, home = changeable
    place = a_token(connection)
    expected = prove(place, home)
    connection.execute("DELETE FROM tokens.shard; UPDATE corpus.recipe SET definition = '{}'")
    (home.tokens / str(place.shard.path)).unlink()
    past = find_token(connection, find_shards(connection, str(place.shard.shard_id))[0], place.token)
    proof = prove(past, home)
    assert (proof.token_id, proof.places) == (expected.token_id, expected.places)
    assert proof.verdict == "in part"
    assert "past" in str(proof.checks[-1].note)
    connection.execute("UPDATE tokens.shard_chunk SET token_end = token_end + 1")
    assert prove(find_token(connection, past.shard, place.token), home).verdict == "refuted"
    connection.execute("DELETE FROM tokens.shard_origin")
    oldest = find_token(connection, find_shards(connection, str(place.shard.shard_id))[0], place.token)
    assert oldest.chunk_id == place.chunk_id
    assert verdicts(oldest, home) == {READ: True, REPLAYED: True, STORED: True, TOKENS: None}


def test_a_text_that_is_being_forgotten_is_said_and_the_rest_is_proved(
    changeable: tuple[Connection, Home],
) -> None:
    connection, home = changeable
    place = a_token(connection)
    assert place.origin is not None
    path = home.text / place.origin.text_file
    table = parquet.read_table(path)
    nothing = pa.nulls(len(table), table.schema.field("text").type)
    parquet.write_table(table.set_column(table.schema.get_field_index("text"), "text", nothing), path)
    assert verdicts(place, home) == {READ: True, REPLAYED: True, STORED: None, TOKENS: True}


def test_a_chunk_that_is_gone_or_forgotten_has_a_past_but_no_text(
    changeable: tuple[Connection, Home],
) -> None:
    connection, home = changeable
    place = a_token(connection)
    assert place.origin is not None
    identifier = f"{place.shard.shard_id}:{place.token}"

    def chunk_of(node: TraceNode) -> TraceNode:
        return next(child for child in node.children if child.kind == "chunk")

    connection.execute("DELETE FROM corpus.chunk WHERE chunk_id = ?", [place.chunk_id])
    gone = trace(connection, identifier, home)
    assert chunk_of(gone).facts["note"] == "no longer held"
    connection.execute(
        "INSERT INTO corpus.forgotten_chunk BY NAME SELECT $1 AS chunk_id, $2 AS document_id, $3 AS source_id, "
        "$4 AS text_file, 0 AS text_row",
        [place.chunk_id, place.origin.document_id, place.origin.source_id, place.origin.text_file],
    )
    forgotten = trace(connection, identifier, home)
    assert "forgotten" in str(chunk_of(forgotten).facts["note"])
    assert [child.identifier for child in forgotten.children if child.kind == "source_file"] == [
        str(place.origin.source_id)
    ]
    assert "spells" not in forgotten.facts
