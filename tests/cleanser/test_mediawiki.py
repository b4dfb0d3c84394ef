"""MediaWiki dumps: pages found as they stream by, and articles without their markup."""

# ruff: noqa: RUF001  # dashes and scripts are the subject

import bz2
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cleanser.markup_reading import ENCODINGS, ranges_of, read, scraps
from warehouse.cleanser.readers.mediawiki import MEDIAWIKI, extract
from warehouse.cleanser.readers.mediawiki_templates import words_of_template
from warehouse.cleanser.readers.mediawiki_wikitext import plain_text
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange, NoTextError
from warehouse.cleanser.readers.registry import reader_for


def page(title: str, wikitext: str, namespace: str = "<ns>0</ns>", more: str = "") -> str:
    escaped = wikitext.replace("&", "&amp;").replace("<", "&lt;")
    return f"<page><title>{title}</title>{namespace}<id>1</id>{more}<revision><text>{escaped}</text></revision></page>"


DUMP = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/"><siteinfo><sitename>A wiki</sitename></siteinfo>\n'
    + page("Jam", "'''Jam''' is [[fruit]].")
    + "\n"
    + page("Jelly", "#REDIRECT [[Jam]]", more='<redirect title="Jam" />')
    + page("Talk:Jam", "I like it.", "<ns>1</ns>")
    + page("Marmalade", "A '''jam''' of oranges.")
    + "</mediawiki>\n"
)


def test_each_page_is_a_document_and_the_rest_is_markup() -> None:
    data = DUMP.encode()
    found = ranges_of(MEDIAWIKI, data)
    assert [data[part.byte_start :][:6] for part in found if isinstance(part, DocumentRange)] == [
        b"<page>"
    ] * 4
    assert {part.reason for part in found if isinstance(part, DroppedRange)} == {"markup"}
    assert read(MEDIAWIKI, data) == (
        ["Jam is fruit.", "A jam of oranges."],
        ["markup", "markup", "redirect", "not_an_article", "markup"],
    )


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_pages_are_found_in_any_encoding(encoding: str) -> None:
    assert read(MEDIAWIKI, DUMP.encode(encoding), encoding)[0] == ["Jam is fruit.", "A jam of oranges."]


def test_byte_order_marks_and_odd_bytes_at_the_end_are_left_outside() -> None:
    data = b"\xff\xfe" + DUMP.encode("utf-16-le") + b"\x00"
    found = ranges_of(MEDIAWIKI, data, "utf-16-le", mark=2)
    assert found[0] == DroppedRange(0, 2, "byte_order_mark")
    assert found[-1].byte_end == len(data)
    assert len([part for part in found if isinstance(part, DocumentRange)]) == 4


@pytest.mark.parametrize("block_bytes", [1, 2, 5, 7, 64])
def test_pages_are_the_same_whatever_the_size_of_the_blocks(
    block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for encoding in ("utf-8", "utf-16-be"):
        data = DUMP.encode(encoding)
        whole = ranges_of(MEDIAWIKI, data, encoding)
        with monkeypatch.context() as smaller:
            smaller.setattr("warehouse.cleanser.streams.BLOCK_BYTES", block_bytes)
            assert ranges_of(MEDIAWIKI, data, encoding) == whole


def test_a_page_that_is_cut_off_ends_where_the_next_begins_or_the_dump_ends() -> None:
    assert [part.byte_end for part in ranges_of(MEDIAWIKI, b"<page>a<page>b</page>c<page>d")] == [
        7,
        21,
        22,
        29,
    ]
    data = b"<mediawiki>" + page("Jam", "It is '''sweet''' and").encode()[:-25]
    assert read(MEDIAWIKI, data) == (["It is sweet and"], ["markup"])


@given(scraps("<page> </page> <pa ge> x ÿ").map(str.encode))
def test_any_bytes_are_tiled(data: bytes) -> None:
    ranges_of(MEDIAWIKI, data)
    ranges_of(MEDIAWIKI, data, "utf-16-le")


@given(
    st.text(max_size=60)
    | scraps(
        "{{ }} {| |} [[ ]] {{{ | = == ''' * # : <ref> </ref> <nowiki> <!-- --> [http://a b ] & ( ) x File:"
    )
)
def test_any_wikitext_becomes_text(wikitext: str) -> None:
    assert plain_text(wikitext) == plain_text(wikitext)


def test_the_newest_revision_and_only_wikitext_of_the_main_namespace_counts() -> None:
    revisions = "".join(f"<revision><text>{text}</text></revision>" for text in ("Old.", "New."))
    assert extract(f"<page><title>Jam</title>{revisions}</page>").text == "New."
    for other, reason in (
        (page("User:Jo", "Hello.", ""), "not_an_article"),
        (page("Category talk:Jam", "Hello.", ""), "not_an_article"),
        (page("Jam.css", "a { b }", more="<model>css</model>"), "not_an_article"),
        (page("Gelee", "#WEITERLEITUNG [[Jam]]"), "redirect"),
        (page("Jam", "{{Infobox}}"), "no_text"),
        ("", "no_text"),
    ):
        with pytest.raises(NoTextError) as failure:
            extract(other)
        assert failure.value.reason == reason
    assert extract(page("2001: A Space Odyssey", "A film.", "")).title == "2001: A Space Odyssey"


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("'''Jam''' and ''jelly'' and '''''both'''''; l'''''un'''''e", "Jam and jelly and both; lune"),
        ("[[Fruit|Fruits]] of [[:Category:Trees]], [[Plum (fruit)|]]", "Fruits of Category:Trees, Plum"),
        ("[[de:Marmelade]][[File:A.jpg|thumb|A [[pot]].]]Pots", "Pots"),
        ("[[Datei:A.jpg|mini]][[Категория:Варенье]]Text [[Star Trek: Nemesis]]", "Text Star Trek: Nemesis"),
        ("Sold.<ref name=a>{{cite web|url=x}}</ref><ref name=a /> Next.<!-- note -->", "Sold. Next."),
        ("{{Infobox|a={{b|c}}|d=[[e]]}}\nText {{citation needed}}here.\n{|\n| cell {{x}}\n|}\nEnd.",
         "Text here.\n\nEnd."),
        ("It is {{convert|5|to|8|km|mi}} {{lang|fr|chaud}}{{snd}}really.", "It is 5 to 8 km chaud – really."),
        ("Born ({{IPA|x}}; {{lang-fr|Jean}}) in 1900 ( {{x}} ).", "Born (Jean) in 1900."),
        ("== Making ==\n=== Sugar ===\nBoil.\n== Notes ==\n{{reflist}}\n[[Category:Food]]", "Making\n\nSugar\n\nBoil."),
        ("* one\n* [[two]]\n# three\n: said\n; term\n* {{x}}\n----", "• one\n• two\n• three\nsaid\nterm"),
        ("See [http://a.org the site], [http://b.org] and http://c.org.", "See the site, and http://c.org."),
        ("a<br/>b H<sub>2</sub>O 10<sup>6</sup> &ndash; &amp;lt; 1 < 2", "a\nb H2O 10^6 – &lt; 1 < 2"),
        ("<nowiki>[[no link]] {{no}}</nowiki> <math>E = mc</math> <math>\\frac{1}{2}</math>!",
         "[[no link]] {{no}} E = mc !"),
        ("__TOC__\n<gallery>\nA.jpg|b\n</gallery>\n<blockquote>Quoted.</blockquote>", "Quoted."),
        ("Lost [[link and {{brace and <ref> in the text.", "Lost link and brace and in the text."),
        ("}} ]]\n|} stray", "stray"),
    ],
)  # fmt: skip
def test_wikitext_reads_as_the_page_does(wikitext: str, text: str) -> None:
    assert plain_text(wikitext) == text


def test_words_of_templates_come_from_their_positional_arguments() -> None:
    assert words_of_template("nowrap|1= a = b") == "a = b"
    assert words_of_template("Lang|fr|mot|rtl=no") == "mot"
    assert words_of_template("Infobox person|name=x") == ""
    assert words_of_template("convert") == ""


@pytest.mark.parametrize(
    "scrap",
    ["{{", "[[", "{|\n", "<ref>", "[http://a", "<nowiki>", "'''", "(,", ",", "==", "{{nowrap|", "[[a|", "<!--", "*"],
)  # fmt: skip
def test_what_never_closes_costs_linear_time(scrap: str) -> None:
    plain_text(scrap * 50_000)
    plain_text(scrap * 50_000 + "x" + "}}" * 50_000 + "]]" * 50_000)


def test_a_dump_is_known_whatever_it_is_called() -> None:
    assert reader_for("dump.txt", DUMP[:200]).name == "mediawiki"
    assert reader_for("pages.xml", DUMP[:200]).name == "mediawiki"


def test_the_real_dump_has_no_markup_left(corpora: Path) -> None:
    path = next((corpora / "prose" / "enwiki_xml_sample").glob("*.bz2"))
    texts, reasons = read(MEDIAWIKI, bz2.decompress(path.read_bytes()))
    assert (len(texts), reasons.count("redirect"), reasons.count("not_an_article")) == (106, 99, 1)
    together = "\n".join(texts)
    for mark in ("{{", "}}", "[[", "]]", "''", "<ref", "</", "\n|", "=="):
        assert together.count(mark) <= 1, mark
