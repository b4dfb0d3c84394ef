"""Documents that share a file of plain text, and what is no text around them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.cleanser.readers.markdown import find_documents as find_in_markdown
from warehouse.cleanser.readers.markdown import front_matter, title_in
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange
from warehouse.cleanser.readers.registry import reader_for
from warehouse.cleanser.readers.structure import find_documents_from
from warehouse.cleanser.streams import Stream

ENCODINGS = ["utf-8", "cp1252", "utf-16-le", "utf-16-be", "utf-32-le", "cp037", "shift_jis", "gb18030"]


@dataclass
class Held:
    """A stream in memory, handed out in blocks of a size of one's choice."""

    data: bytes
    block_bytes: int = 1 << 20

    @property
    def n_bytes(self) -> int:
        return len(self.data)

    def range_blocks(self, byte_start: int, byte_end: int) -> Iterator[bytes]:
        for start in range(byte_start, byte_end, self.block_bytes):
            yield self.data[start : min(byte_end, start + self.block_bytes)]

    def peek(self, byte_start: int, n_bytes: int) -> bytes:
        return self.data[byte_start : byte_start + n_bytes]


@dataclass
class Decision:
    """As much of an encoding's decision as readers of plain kinds look at."""

    encoding: str | None
    byte_order_mark_bytes: int = 0


def ranges_of(
    data: bytes, encoding: str = "utf-8", block_bytes: int = 1 << 20
) -> list[DocumentRange | DroppedRange]:
    return list(find_documents_from(Held(data, block_bytes), 0, encoding))  # type: ignore[arg-type]  # a stand-in


def documents_of(text: str, encoding: str = "utf-8") -> list[str]:
    data = text.encode(encoding)
    return [
        data[found.byte_start : found.byte_end].decode(encoding)
        for found in ranges_of(data, encoding)
        if isinstance(found, DocumentRange)
    ]


def dropped_in(text: str) -> list[tuple[str, str]]:
    data = text.encode()
    return [
        (found.reason, data[found.byte_start : found.byte_end].decode())
        for found in ranges_of(data)
        if isinstance(found, DroppedRange)
    ]


def assert_tiles(ranges: list[DocumentRange | DroppedRange], n_bytes: int) -> None:
    position = 0
    for found in ranges:
        assert found.byte_start == position
        assert found.byte_end > position
        position = found.byte_end
    assert position == n_bytes


HEADER = """The Project Gutenberg EBook of The Bell, by A. Writer

This eBook is for the use of anyone anywhere at no cost and with
almost no restrictions whatsoever.

Title: The Bell
       and Other Tales

Author: A. Writer

*** START OF THIS PROJECT GUTENBERG EBOOK THE BELL ***
"""
CREDITS = """
Produced by A. Volunteer and
B. Volunteer.

"""
BOOK = """THE BELL

It rang in the night. * * * And nobody came.

* * *

The morning was grey.
"""
LICENCE = """
End of Project Gutenberg's The Bell, by A. Writer

*** END OF THIS PROJECT GUTENBERG EBOOK THE BELL ***

***** This file should be named 1.txt or 1.zip *****
Redistribution is subject to the trademark license.
*** START: FULL LICENSE ***
THE FULL PROJECT GUTENBERG LICENSE
"""
OLD_HEADER = """**The Project Gutenberg Etext of The Bell, by A. Writer**

Please take a look at the important information in this header.

***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***
Why is this "Small Print!" statement here?
*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*

"""


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_the_header_and_licence_of_a_book_are_left_out(encoding: str, line_end: str) -> None:
    text = (HEADER + CREDITS + BOOK + LICENCE).replace("\n", line_end)
    assert documents_of(text, encoding) == [BOOK.replace("\n", line_end)]


def test_what_is_left_out_has_its_reason_and_the_book_its_title() -> None:
    reasons = [reason for reason, _ in dropped_in(HEADER + CREDITS + BOOK + LICENCE)]
    assert reasons == ["gutenberg_header", "gutenberg_header", "blank", "blank", "gutenberg_licence"]
    documents = [found for found in ranges_of((HEADER + BOOK).encode()) if isinstance(found, DocumentRange)]
    assert [document.title for document in documents] == ["The Bell and Other Tales"]


def test_old_books_end_their_header_with_the_small_print() -> None:
    text = OLD_HEADER + BOOK + "\n\nEnd of The Project Gutenberg Etext of The Bell by A. Writer\n\n"
    assert documents_of(text) == [BOOK]
    documents = [found for found in ranges_of(text.encode()) if isinstance(found, DocumentRange)]
    assert documents[0].title == "The Bell"


def test_books_that_were_put_together_are_told_apart() -> None:
    assert documents_of((HEADER + BOOK + LICENCE) * 3 + OLD_HEADER + BOOK) == [BOOK] * 4


def test_the_last_line_of_a_header_may_go_on() -> None:
    header = "*** START OF THE PROJECT GUTENBERG EBOOK THE BELL,\nTHE BOOK AND THE CANDLE ***\n"
    assert documents_of("The Project Gutenberg eBook of The Bell\n\n" + header + "\n" + BOOK) == [BOOK]


def test_a_text_about_project_gutenberg_stays_whole() -> None:
    essay = "An essay about books, and how they end.\n" * 3_000
    text = essay + "*** START OF THIS PROJECT GUTENBERG EBOOK X ***\nEnd of Project Gutenberg's X\n" + essay
    assert documents_of(text) == [text]


FORTUNES = "A fool and his money are soon parted.\n%\nTwo lines\nof wit.\n\n%\n\n100% true.\n%\n"


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_each_fortune_is_a_document(encoding: str, line_end: str) -> None:
    wanted = ["A fool and his money are soon parted.\n", "Two lines\nof wit.\n", "100% true.\n"]
    assert documents_of(FORTUNES.replace("\n", line_end), encoding) == [
        text.replace("\n", line_end) for text in wanted
    ]


def test_the_lines_between_fortunes_are_separators() -> None:
    assert dropped_in(FORTUNES) == [
        ("separator", "%\n"), ("blank", "\n"), ("separator", "%\n"), ("blank", "\n"), ("separator", "%\n"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "A chapter.\n\n%\n\nAnother chapter.\n",
        "A novel has long chapters.\n" * 700 + "%\n" + "A novel has long chapters.\n" * 700 + "%\nEnd.\n",
        "\\section{One}\n%\nText.\n%\n\\section{Two}\n%\nText.\n",
        "% a comment\n%\nfoo :- bar.\n%\n% another\nfoo.\n",
        "It rang.\n\n* * *\n\nIt rang again.\n\n* * *\n\nThe end.\n",
        "One sees <|endoftext|> in such files.\n<|endoftext|>\nIt parts texts.\n",
        "f = 1\n = x = \nand more\n",
    ],
)
def test_a_text_without_evidence_all_over_it_stays_whole(text: str) -> None:
    assert documents_of(text) == [text]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_stories_are_parted_by_ends_of_text(encoding: str) -> None:
    text = "Once there was a bell.\n\nIt rang.\n<|endoftext|>\n\nTwo foxes met.\n<|endoftext|>\n"
    assert documents_of(text, encoding) == ["Once there was a bell.\n\nIt rang.\n", "Two foxes met.\n"]
    assert documents_of("Only one.\n<|endoftext|>\n") == ["Only one.\n"]


def test_articles_begin_at_their_titles_and_keep_them() -> None:
    article = " = {} = \n \n It is a thing . \n \n = = History = = \n \n It was one , too . \n \n"
    data = (" \n" + article.format("Bell") + article.format("Fox <unk>")).encode()
    documents = [found for found in ranges_of(data) if isinstance(found, DocumentRange)]
    assert [document.title for document in documents] == ["Bell", "Fox <unk>"]
    assert data[documents[1].byte_start :].startswith(b" = Fox")


STORIES = [
    f"{opening} there was a {name} in a {place}.\n\nThe {name} met a friend in the {place}.\n\nThen {name} and {place}"
    " were one.\n"
    for opening in ("Once", "One day,")
    for name in ("fox", "bell", "girl", "boy")
    for place in ("wood", "town", "house", "boat", "field", "cave")
]


def test_stories_without_separator_are_told_apart_by_their_openings() -> None:
    assert documents_of("".join(STORIES)) == STORIES


def test_dialogue_without_blank_lines_is_not_taken_for_stories() -> None:
    talk = '"Is it far?" he asked.\n"It is." She went on.\n"Then let us go."\nThey went.\n'
    scene = talk + "\nNight fell.\n\nIt rained.\n\n"
    assert len(documents_of(scene * 30)) == 1
    speakers = "ANNA: It is late.\nBERT: It is.\nANNA: So it is.\n\n"
    assert len(documents_of(speakers * 40)) == 1


def test_blank_lines_around_a_text_are_dropped_in_any_encoding() -> None:
    for encoding in ENCODINGS:
        for line_end in ("\n", "\r\n", "\r"):
            text = "\n \n\t\n  Indented.\n\nLast.\n\n \n".replace("\n", line_end)
            assert documents_of(text, encoding) == ["  Indented.\n\nLast.\n".replace("\n", line_end)]
    assert documents_of(" \n\n") == []


@given(
    parts=st.lists(
        st.sampled_from(
            [HEADER, CREDITS, BOOK, LICENCE, OLD_HEADER, FORTUNES, FORTUNES.replace("\n", "\r\n"),
             "%\n", "% x\n", "<|endoftext|>\n", " = Bell = \n",
             " = = Part = = \n", "\n", "\r\n", "\r", " ", "x" * 50, "é\n", "*** END OF THE PROJECT GUTENBERG EBOOK",
             *STORIES[::7]]
        )
        | st.text(max_size=20),
        max_size=30,
    ),
    encoding=st.sampled_from([*ENCODINGS, "iso2022_jp", "utf-16-le"]),
    flips=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=3),
    cut_off=st.integers(0, 5),
    block_bytes=st.integers(1, 60),
)  # fmt: skip
def test_ranges_tile_any_stream_and_are_the_same_for_any_blocks(
    parts: list[str], encoding: str, flips: list[tuple[int, int]], cut_off: int, block_bytes: int
) -> None:
    data = bytearray("".join(parts).encode(encoding, "ignore"))
    data = data[: max(0, len(data) - cut_off)]
    for position, value in flips:
        if data:
            data[position % len(data)] = value
    ranges = ranges_of(bytes(data), encoding)
    assert_tiles(ranges, len(data))
    assert ranges_of(bytes(data), encoding, block_bytes) == ranges


@given(data=st.binary(max_size=300), encoding=st.sampled_from(ENCODINGS), block_bytes=st.integers(1, 60))
def test_ranges_tile_any_bytes(data: bytes, encoding: str, block_bytes: int) -> None:
    ranges = ranges_of(data, encoding)
    assert_tiles(ranges, len(data))
    assert ranges_of(data, encoding, block_bytes) == ranges


def test_books_of_the_wild_lose_header_and_licence_and_nothing_else(corpora: Path) -> None:
    for path in sorted((corpora / "encodings" / "gutenberg_multi").rglob("*.txt")):
        data = path.read_bytes()
        ranges = ranges_of(data, "cp1252")
        assert_tiles(ranges, len(data))
        kept = b"".join(
            data[found.byte_start : found.byte_end] for found in ranges if isinstance(found, DocumentRange)
        )
        assert b"START OF" not in kept
        assert b"Gutenberg-tm" not in kept
        assert len(data) - len(kept) < 21_000


def test_fortunes_of_the_wild_are_parted_and_books_are_not(corpora: Path) -> None:
    fortunes = corpora / "prose" / "fortunes_en" / "usr" / "share" / "games" / "fortunes"
    for name in ("computers", "wisdom", "zippy"):
        data = (fortunes / name).read_bytes()
        n_documents = sum(isinstance(found, DocumentRange) for found in ranges_of(data))
        assert abs(n_documents - data.count(b"\n%\n")) <= 1
    for path in sorted((corpora / "prose" / "classic_books").rglob("*.md"))[::8]:
        data = path.read_bytes()
        assert sum(
            found.byte_end - found.byte_start for found in ranges_of(data) if isinstance(found, DocumentRange)
        ) > (0.999 * len(data))


MATTER = '---\n# A remark\ntitle: "The \\"Bell\\""\ntags: [a, b]\n---\n'


def in_markdown(text: str, encoding: str = "utf-8") -> list[DocumentRange | DroppedRange]:
    stream = Held(text.encode(encoding))
    return list(find_in_markdown(stream, Decision(encoding)))  # type: ignore[arg-type]  # stand-ins


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_front_matter_is_left_out_of_markdown_and_gives_the_title(encoding: str, line_end: str) -> None:
    text = ("\n" + MATTER + "\n# Bell\n\nIt *rang*.\n").replace("\n", line_end)
    blank, matter, blank_after, document = in_markdown(text, encoding)
    assert isinstance(matter, DroppedRange)
    assert matter.reason == "front_matter"
    assert isinstance(document, DocumentRange)
    assert document.title == 'The "Bell"'
    data = text.encode(encoding)
    assert data[document.byte_start :].decode(encoding) == "# Bell\n\nIt *rang*.\n".replace("\n", line_end)
    assert_tiles([blank, matter, blank_after, document], len(data))


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nA rule above.\n\n---\n\nA rule between.\n",
        "Text first.\n---\ntitle: none\n---\n",
        "---\ntitle: never closed\n",
        "+++ b/file\n@@ -1 +1 @@\n+++\n",
        "-----\ntitle: x\n---\n",
    ],
)
def test_rules_are_not_front_matter(text: str) -> None:
    assert front_matter(text.encode()) == (0, 0)


@pytest.mark.parametrize(
    ("matter", "title"),
    [
        ("title: Plain words # remark", "Plain words"),
        ("title: 'It''s'", "It's"),
        ('+++\ntitle = "Of TOML"\n+++', "Of TOML"),
        ("title: >\n  folded", None),
        ("subtitle: no", None),
    ],
)
def test_simple_titles_are_read(matter: str, title: str | None) -> None:
    assert title_in(matter) == title


def test_markdown_is_known_by_its_name() -> None:
    assert reader_for("README.md", "# Title").name == "markdown"
    assert reader_for("README.rst", "Title").name == "plain"


def test_a_real_stream_is_read(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text(HEADER + BOOK + LICENCE)
    data = path.read_bytes()
    stream = Stream(path, len(data), hashlib.sha256(data).digest())
    assert_tiles(list(find_documents_from(stream, 0, "ascii")), len(data))
