"""Where text is cut, and that its bytes are cut there too, whatever their encoding."""

# ruff: noqa: RUF001  # text in several scripts is the subject

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from tests.cleanser.multilingual import ENCODINGS, SAMPLES
from warehouse.cleanser.chunking import Chunking, recipe_chunking
from warehouse.cleanser.cutting import cut_text
from warehouse.cleanser.repair import repair_chunk, repair_text
from warehouse.cleanser.segmenting import LARGEST_CHUNK_BYTES, LONGEST_LINE_BYTES, RawChunk, cut_bytes
from warehouse.errors import InputUnreadable, InvalidConfiguration
from warehouse.recipes import ChunkingChoice, parse_recipe

texts = st.lists(st.sampled_from(SAMPLES) | st.text(max_size=60), max_size=8).map("".join)
limits = st.sampled_from([16, 21, 60, 200])
many = settings(max_examples=300)


def blocks_of(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def cut(data: bytes, encoding: str, chunking: Chunking, block_size: int = 1 << 20) -> list[RawChunk]:
    return list(cut_bytes(blocks_of(data, block_size), encoding, chunking))


def texts_of(text: str, max_characters: int) -> list[str]:
    chunking = Chunking(max_characters)
    return [text[start:end] for start, end in cut_text(text, chunking)]


@many
@given(
    data=st.binary(max_size=500)
    | st.tuples(texts, st.sampled_from(ENCODINGS)).map(lambda drawn: drawn[0].encode(drawn[1], "ignore")),
    encoding=st.sampled_from(ENCODINGS),
    limit=limits,
    block_size=st.integers(1, 40),
)
@example(data=bytes(16) + b"\t   \x800\n\t         ", encoding="gb18030", limit=16, block_size=9)
@example(data=b"\x80" * 14 + b"\xa7\xc2 ", encoding="euc_jp", limit=16, block_size=9)
@example(data=b"\x80" * 16 + b" ", encoding="euc_jp", limit=16, block_size=9)
def test_any_bytes_are_tiled_by_chunks_of_at_most_the_limit_whatever_the_blocks(
    data: bytes, encoding: str, limit: int, block_size: int
) -> None:
    chunks = cut(data, encoding, Chunking(limit))
    assert b"".join(chunk.raw for chunk in chunks) == data
    assert all(chunk.raw for chunk in chunks)
    for chunk in chunks:
        assert len(repair_chunk(chunk.raw, encoding, chunk.decoder_state).text) <= limit
    assert cut(data, encoding, Chunking(limit), block_size) == chunks


@many
@given(text=texts, encoding=st.sampled_from(ENCODINGS), limit=limits)
def test_text_is_cut_the_same_in_every_encoding_that_holds_it(text: str, encoding: str, limit: int) -> None:
    data = text.encode(encoding, "ignore")
    try:
        whole = data.decode(encoding)
    except UnicodeDecodeError:
        return
    if "\x85" in whole:
        return  # it ends a line in EBCDIC alone
    wanted = [repair_text(whole[start:end], False).text for start, end in cut_text(whole, Chunking(limit))]
    chunks = cut(data, encoding, Chunking(limit))
    got = [repair_chunk(chunk.raw, encoding, chunk.decoder_state, False).text for chunk in chunks]
    assert "".join(got) == "".join(wanted)
    if encoding not in {"shift_jis_2004", "euc_jis_2004", "big5hkscs"} and "\ufeff" not in whole:
        assert [text for text in got if text] == [text for text in wanted if text]


@given(text=texts, limit=limits)
def test_ranges_of_extracted_text_tile_it(text: str, limit: int) -> None:
    ranges = list(cut_text(text, Chunking(limit)))
    assert [start for start, _ in ranges] == [0, *(end for _, end in ranges)][: len(ranges)]
    assert "".join(text[start:end] for start, end in ranges) == text
    assert all(end > start for start, end in ranges)


@given(text=texts, limit=limits)
def test_line_ends_of_two_characters_cut_no_differently(text: str, limit: int) -> None:
    plain = text.replace("\r", "")
    paired = plain.replace("\n", "\r\n")
    assert [chunk.replace("\r\n", "\n") for chunk in texts_of(paired, limit)] == texts_of(plain, limit)


def test_old_macintosh_line_ends_end_lines_and_paragraphs() -> None:
    text = "One paragraph of words.\r\rAnother paragraph of words.\r\rA third paragraph.\r"
    assert texts_of(text, 40) == [text[:25], text[25:54], text[54:]]


def test_a_paragraph_too_long_is_cut_after_a_sentence_rather_than_inside_one() -> None:
    wrapped = (
        "It was a dark night, and Mr. Brown of the\nvillage had gone to bed early. The rain\n"
        "fell on the roofs, and nobody saw what J. B.\nSmith carried home.\nHe told no one, ever, of it.\n"
    )
    assert texts_of(wrapped, 100)[0].endswith("to bed early. ")
    assert texts_of(wrapped, 160)[0].endswith("carried home.\n")


def test_a_sentence_at_a_line_end_is_preferred_to_a_later_one_inside_a_line() -> None:
    text = "This sentence ends its line.\nThis one ends inside. Another one goes on for longer than there is room.\n"
    assert texts_of(text, 80)[0] == "This sentence ends its line.\n"


def test_verses_without_full_stops_are_cut_after_a_line() -> None:
    assert all(chunk.endswith("\n") for chunk in texts_of("a line of the poem,\n" * 20, 90))


def test_chinese_is_cut_after_its_full_stops() -> None:
    assert all(chunk.endswith("。") for chunk in texts_of("他说了一句很长的话，没有空格。" * 20, 70))


def test_letters_keep_their_marks_where_there_is_no_better_place() -> None:
    letters = "e\u0301" * 100
    assert all(not chunk.startswith("\u0301") for chunk in texts_of(letters, 21))


def test_what_is_read_ahead_is_bounded() -> None:
    asked: list[int] = []

    def counted(n_blocks: int) -> Iterator[bytes]:
        for number in range(n_blocks):
            asked.append(number)
            yield b"A sentence of some length. " * 40

    first = next(iter(cut_bytes(counted(1000), "utf-8", Chunking())))
    assert first.raw.endswith(b". ")
    assert len(asked) <= 5


def test_escape_sequences_without_end_do_not_fill_the_memory() -> None:
    data = b"\x1b(B\x1b$B" * (LARGEST_CHUNK_BYTES // 3) + b"\x1b(Btext\n"
    sizes = [len(chunk.raw) for chunk in cut(data, "iso2022_jp", Chunking())]
    assert sum(sizes) == len(data)
    assert max(sizes) <= LARGEST_CHUNK_BYTES + LONGEST_LINE_BYTES + 3


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """A small byte-level BPE tokenizer."""
    model = Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    model.train_from_iterator(
        SAMPLES * 3, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    )
    path = tmp_path / "small.json"
    model.save(str(path))
    return path


def test_no_chunk_has_more_tokens_than_allowed(tokenizer: Path) -> None:
    chunking = Chunking(max_characters=1000, max_tokens=64, tokenizer=tokenizer)
    counter = Tokenizer.from_file(str(tokenizer))
    text = "".join(SAMPLES) * 3 + "\U0001f600\ufdfa" * 60
    for encoding in ("utf-8", "utf-16-le", "gb18030"):
        data = text.encode(encoding)[:-1] + b"\xe9\x93 broken \x80\n"
        chunks = cut(data, encoding, chunking)
        assert b"".join(chunk.raw for chunk in chunks) == data
        stored = [repair_chunk(chunk.raw, encoding, chunk.decoder_state).text for chunk in chunks]
        counts = [len(counter.encode(text, add_special_tokens=False).ids) for text in stored]
        assert max(counts) <= 64
        assert sum(counts) / len(counts) > 32
        assert cut(data, encoding, chunking, block_size=33) == chunks


def test_chunks_in_tokens_end_at_paragraphs_too(tokenizer: Path) -> None:
    text = "A paragraph with words.\n\n" * 40
    ends = [text[:end][-2:] for _, end in cut_text(text, Chunking(5000, 64, tokenizer))]
    assert set(ends) == {"\n\n"}


def test_a_chunking_is_told_apart_by_the_content_of_its_tokenizer(tokenizer: Path) -> None:
    chunking = Chunking(max_tokens=64, tokenizer=tokenizer)
    before = chunking.chunking_id()
    assert before != Chunking().chunking_id()
    copy = tokenizer.with_name("copy.json")
    copy.write_bytes(tokenizer.read_bytes())
    assert Chunking(max_tokens=64, tokenizer=copy).chunking_id() == before
    copy.write_bytes(tokenizer.read_bytes() + b"\n")
    assert Chunking(max_tokens=64, tokenizer=copy).chunking_id() != before


def test_a_tokenizer_that_is_none_is_named_with_its_remedy(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    with pytest.raises(InputUnreadable, match=r"Put a tokenizer\.json there"):
        Chunking(max_tokens=64, tokenizer=path).chunking_id()
    path.write_text("{}")
    with pytest.raises(InvalidConfiguration, match="not a tokenizer"):
        list(cut_text("text", Chunking(max_tokens=64, tokenizer=path)))
    with pytest.raises(InvalidConfiguration, match="needs a tokenizer"):
        Chunking(max_tokens=64)
    with pytest.raises(InvalidConfiguration, match="64 or more"):
        Chunking(max_tokens=3, tokenizer=path)


def test_a_recipe_says_how_chunks_are_cut(tmp_path: Path) -> None:
    assert recipe_chunking(ChunkingChoice(), tmp_path) == Chunking()
    recipe = parse_recipe(
        "mine", "[chunking]\nmax_characters = 9000\nmax_tokens = 512\ntokenizer = 'mine.json'"
    )
    assert recipe_chunking(recipe.chunking, tmp_path) == Chunking(9000, 512, tmp_path / "mine.json")


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("max_tokens = 512", "both max_tokens and tokenizer"),
        ("max_tokens = 5\ntokenizer = 'a.json'", "0 or at least 64"),
        ("max_tokens = 512\ntokenizer = '../a.json'", "plain name"),
        ("max_tokens = 512\ntokenizer = '/etc/a.json'", "plain name"),
    ],
)
def test_a_recipe_that_cannot_be_cut_by_is_refused(toml: str, message: str) -> None:
    with pytest.raises(InvalidConfiguration, match=message):
        parse_recipe("mine", "[chunking]\n" + toml)
