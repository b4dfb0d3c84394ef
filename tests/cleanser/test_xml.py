"""XML of any kind: its text in order, from small documents whole and from large ones record by record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cleanser.markup_reading import ENCODINGS, extracted_or_reason, ranges_of, read, scraps
from warehouse.cleanser.readers import xml_documents, xml_records
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange
from warehouse.cleanser.readers.registry import reader_for
from warehouse.cleanser.readers.xml_documents import XML
from warehouse.cleanser.readers.xml_text import xml_text

DOCBOOK = """<?xml version="1.0" encoding="latin-1"?>
<!DOCTYPE book PUBLIC "-//OASIS//DTD DocBook XML V4.5//EN" "docbookx.dtd" [ <!ENTITY app "Jam"> ]>
<book><bookinfo><title>The <emphasis>&app;</emphasis> manual</title></bookinfo>
<chapter><title>One</title><para>Start
&app; with <command>jam</command><indexterm><primary>jam</primary></indexterm>, &eacute;h?</para>
<programlisting>jam --stir
  --boil</programlisting>
<itemizedlist><listitem><para>Stir</para></listitem><listitem><para>Boil</para></listitem></itemizedlist></chapter></book>"""

FEED = """<rss version="2.0"><channel><title>News</title><link>http://x.org</link><item><guid>7</guid><title>Jam</title>
<description>&lt;p&gt;It &lt;b&gt;gels&lt;/b&gt;.&lt;/p&gt;&lt;p&gt;Soon &amp;amp; well.&lt;/p&gt;</description></item>
<item><description><![CDATA[<a href="x">More</a>, 1 < 2.]]></description></item></channel></rss>"""


def test_docbook_reads_as_paragraphs() -> None:
    extracted = xml_text(DOCBOOK)
    assert extracted.title == "The Jam manual"
    assert extracted.text.split("\n\n") == [
        "The Jam manual", "One", "Start Jam with jam, éh?", "jam --stir\n  --boil", "Stir", "Boil",
    ]  # fmt: skip


def test_feeds_carry_html() -> None:
    assert xml_text(FEED).text.split("\n\n") == ["News", "Jam", "It gels.", "Soon & well.", "More, 1 < 2."]


def test_fields_of_catalogues_are_parted_and_parts_of_sentences_are_not() -> None:
    assert xml_text("<cd><artist>Bob</artist><title>Empire</title></cd>").text == "Bob\n\nEmpire"
    assert xml_text("<x><y>A <i>fine</i> <u>old <v>day</v></u>.</y></x>").text == "A fine old day."
    assert xml_text("<p>By <name><first>Ann</first><last>Lee</last></name></p>").text == "By Ann Lee"
    assert (
        xml_text("<tei:TEI><tei:text><lg><l>One</l><l>Two</l></lg></tei:text></tei:TEI>").text == "One\n\nTwo"
    )
    assert xml_text("<FictionBook><p>Text</p><binary>aGVsbG8=</binary></FictionBook>").text == "Text"


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        ("<a>One<b>two</a>three", "One\n\ntwo\n\nthree"),
        ("<a>1 < 2 & 3</a>", "1 < 2 & 3"),
        ("<a>cut <b>off", "cut off"),
        ("no tags at all", "no tags at all"),
        ("<a x='1'>&nbsp;&unknown;</a>", "\u00a0&unknown;"),
        ("<a><![CDATA[open", "open"),
    ],
)
def test_malformed_xml_is_read_as_far_as_it_goes(broken: str, text: str) -> None:
    assert xml_text(broken).text.replace("\n\n", "") == text.replace("\n\n", "")


def test_entities_neither_explode_nor_fetch() -> None:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 20))
    bomb = f'<!DOCTYPE x [<!ENTITY l0 "ha">{lines}<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&l19; &f;</x>'
    assert len(xml_text(bomb).text) < 200
    assert "root:" not in xml_text(bomb).text


def test_depth_costs_linear_time() -> None:
    assert xml_text("<a>" * 200_000 + "x").text == "x"
    assert xml_text("<a>x" * 50_000).text.count("x") == 50_000
    assert xml_text("<title>" * 50_000 + "x").title == "x"


@given(
    st.text(max_size=100)
    | scraps("<a> </a> <p> </p> <title> </title> <pre> </pre> x <script> &lt; <![CDATA[ ]]> <rss>")
)
def test_anything_at_all_is_read_or_has_no_text(text: str) -> None:
    first = extracted_or_reason(xml_text, text)
    assert first == extracted_or_reason(xml_text, text)
    assert first == "no_text" if isinstance(first, str) else first.text.strip()


RECORDS = """<?xml version='1.0' encoding='UTF-8'?>
<list n='é'>
 <item><p>One</p></item>
 <item/>
 <!-- <item> -->
<item ><p>Two &amp; ü</p></item ></list>
"""


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty bytes are the most that is read as a whole."""
    for module in ("xml_documents", "xml_records", "markup_ranges"):
        monkeypatch.setattr(f"warehouse.cleanser.readers.{module}.LARGEST_RECORD_BYTES", 60)


@pytest.mark.usefixtures("_small")
def test_of_a_large_stream_the_elements_are_the_records() -> None:
    data = RECORDS.encode()
    found = ranges_of(XML, data)
    assert [data[part.byte_start : part.byte_end].decode() for part in found if isinstance(part, DocumentRange)] == [
        "<item><p>One</p></item>", "<item/>", "<item ><p>Two &amp; ü</p></item >",
    ]  # fmt: skip
    assert read(XML, data) == (["One", "Two & ü"], ["markup", "markup", "no_text", "markup", "markup"])


@pytest.mark.parametrize("encoding", [name for name in ENCODINGS if name != "iso2022_jp"])
def test_records_are_found_in_any_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("xml_documents", "xml_records", "markup_ranges"):
        monkeypatch.setattr(f"warehouse.cleanser.readers.{module}.LARGEST_RECORD_BYTES", 160)
    data = RECORDS.replace("é", "").replace("ü", "").encode(encoding)
    texts, _ = read(XML, data * (1 if len(data) > 160 else 2), encoding)
    assert texts[:2] == ["One", "Two &"]


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("block_bytes", [1, 3, 16, 50])
def test_records_are_the_same_whatever_the_size_of_the_blocks(
    block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ranges_of(XML, RECORDS.encode())
    monkeypatch.setattr("warehouse.cleanser.streams.BLOCK_BYTES", block_bytes)
    assert ranges_of(XML, RECORDS.encode()) == whole


@pytest.mark.usefixtures("_small")
def test_records_lie_deeper_where_the_outer_elements_are_too_large() -> None:
    data = (
        "<rss><channel><title>T</title>" + "<item><title>Jam</title></item>" * 5 + "</channel></rss>"
    ).encode()
    assert len([part for part in ranges_of(XML, data) if isinstance(part, DocumentRange)]) == 6
    single = ("<a><b>" + "x" * 100 + "</b></a>").encode()
    assert [part.reason for part in ranges_of(XML, single) if isinstance(part, DroppedRange)] == [
        "markup",
        "record_too_large",
        "markup",
    ]


@pytest.mark.usefixtures("_small")
def test_after_damage_the_rest_is_invalid() -> None:
    data = ("<list>" + "<item>One</item>" * 3 + "</lost>" + "<item>One</item>" * 3).encode()
    found = ranges_of(XML, data)
    assert [type(part).__name__ for part in found] == ["DroppedRange"] + ["DocumentRange"] * 3 + [
        "DroppedRange"
    ]
    assert found[-1] == DroppedRange(54, len(data), "invalid_xml")
    deep = b"<a>" * (xml_records.DEEPEST_ELEMENTS + 5)
    assert ranges_of(XML, deep) == [DroppedRange(0, len(deep), "invalid_xml")]


@given(st.binary(max_size=120) | scraps("<a> </a> <b/> x ÿ & <!-- --> \0").map(str.encode))
def test_any_bytes_are_tiled(data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml_documents, "LARGEST_RECORD_BYTES", 10)
        for encoding in ("utf-8", "utf-16-le", "cp037"):
            ranges_of(XML, data, encoding)


def test_bound_readers_know_what_the_stream_declares() -> None:
    item = "<item><title>&app;</title><description>&lt;p&gt;Text&lt;/p&gt;</description></item>"
    bound = reader_for("feed.xml", "<!DOCTYPE rss [<!ENTITY app 'Jam'>]><rss><channel>" + item)
    assert bound.extract is not None
    assert bound.extract(item).text == "Jam\n\nText"


def test_xml_is_told_from_programs_and_other_text() -> None:
    assert reader_for("a.txt", "<?xml version='1.0'?><list><item>").name == "xml"
    assert reader_for("a.xml", "<list><item>").name == "xml"
    assert reader_for("a.rss", FEED).name == "xml"
    assert reader_for("a.xml", "just text").name == "plain"
    assert reader_for("a.svg", "<?xml version='1.0'?><svg xmlns='x'><text>").name == "plain"
    assert reader_for("a.xml", "<?xml version='1.0'?><xsl:stylesheet version='1.0'>").name == "plain"
    assert reader_for("a.txt", "<list> is an element").name == "plain"
