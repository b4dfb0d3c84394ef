"""HTML pages: all of an article, nothing of what is around it, and an end to every page."""

# ruff: noqa: RUF001  # text in several scripts and dashes are the subject

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cleanser.markup_reading import ENCODINGS, extracted_or_reason, ranges_of, read, scraps
from warehouse.cleanser.readers.html_cost import is_costly
from warehouse.cleanser.readers.html_pages import HTML, extract, is_page, may_be_page
from warehouse.cleanser.readers.html_visible import visible_text
from warehouse.cleanser.readers.reader import LARGEST_RECORD_BYTES, DocumentRange, DroppedRange, NoTextError
from warehouse.cleanser.readers.registry import reader_for

PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Jam &amp; jelly | A kitchen</title><style>p { color: red }</style></head>
<body><header><nav class="menu"><ul><li><a href="/">Home</a></li><li><a href="/jam">Jam</a></li></ul></nav></header>
<h1>Jam</h1>
<p>Fruit is boiled with <b>sugar</b> until
it gels, since <time>1747</time> at least.</p>
<p>It keeps for a year.<br>In the dark.</p>
<ul><li>2 plums</li><li><p>1 lemon, <a href="x">peeled</a></p></li></ul>
<pre>boil
  stir
skim</pre>
<script>if (a < b) track("<p>script</p>");</script><noscript>Turn scripts on.</noscript>
<img src="pot.jpg" alt="pot.jpg"><p>Caf&eacute; &#8212; 5&nbsp;€</p>
<footer>© A kitchen. All rights reserved.</footer></body></html>"""

TEXT = """Jam

Fruit is boiled with sugar until it gels, since 1747 at least.

It keeps for a year.
In the dark.

• 2 plums

• 1 lemon, peeled

boil
  stir
skim

Café — 5\u00a0€"""


def test_a_page_is_its_article() -> None:
    extracted = extract(PAGE)
    assert extracted.text == TEXT
    assert extracted.title == "Jam & jelly | A kitchen"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-32-be", "cp1252"])
def test_the_record_is_the_stream_in_any_encoding_whatever_it_declares(encoding: str) -> None:
    assert read(HTML, PAGE.encode(encoding), encoding) == ([TEXT], [])


def test_a_byte_order_mark_is_no_part_of_it_and_size_is_bounded() -> None:
    data = b"\xef\xbb\xbf<p>Text</p>"
    assert ranges_of(HTML, data, mark=3) == [
        DroppedRange(0, 3, "byte_order_mark"),
        DocumentRange(3, len(data)),
    ]
    large = b" " * (LARGEST_RECORD_BYTES + 1)
    assert ranges_of(HTML, large) == [DroppedRange(0, len(large), "record_too_large")]
    assert [ranges_of(HTML, b"<p>x</p>", encoding) for encoding in ENCODINGS] == [
        [DocumentRange(0, 8)]
    ] * len(ENCODINGS)


letters = st.sampled_from("abc XYZ 1.,是好の한กéß–—€•“”∞\U0001f600\u00a0\u3000<&") | st.characters(
    min_codepoint=33, max_codepoint=0xFFFF, exclude_categories=("Cs", "Co", "Cn", "Cc", "Cf", "Zl", "Zp")
)
words = st.tuples(
    st.sampled_from(["b", "i", "em", "span", "sup", "code", "time", "q", ""]),
    st.text(letters, min_size=1, max_size=8),
).map(lambda drawn: f"<{drawn[0]}>{html.escape(drawn[1])}</{drawn[0]}>".replace("<>", "").replace("</>", ""))
paragraphs = st.tuples(
    st.sampled_from(["p", "h2", "div", "blockquote", "li"]),
    st.lists(words, min_size=1, max_size=6).map("".join),
).map(
    lambda drawn: (
        f"<ul><li>{drawn[1]}</li></ul>" if drawn[0] == "li" else f"<{drawn[0]}>{drawn[1]}</{drawn[0]}>"
    )
)


def seen(body: str) -> str:
    """What a browser shows, without blank space, bullets and marks of links."""
    text = html.unescape(re.sub(r"</?[a-z][a-z0-9]*>", "", body))
    return re.sub(r"[\s•¶]", "", text)


@settings(max_examples=300)
@given(st.lists(paragraphs, min_size=1, max_size=5).map("".join))
def test_not_a_letter_of_an_article_is_lost(body: str) -> None:
    body = "<p>An article begins.</p>" + body
    page = f"<!DOCTYPE html><html><head><title>t</title></head><body>{body}</body></html>"
    assert re.sub(r"[\s•¶]", "", extract(page).text) == seen(body)


def test_letters_between_tags_are_no_icons() -> None:
    assert (
        extract("<body><p>这<b>是</b><i>好</i> – <b>né</b> <b>a&eacute;</b> <b>&amp;é</b> <b>€</b></p>").text
        == "这是好 – né aé &é €"
    )  # dash
    assert extract('<body><h1>Title<a href="#t">¶</a></h1><p>Text<i>\uf0a7</i></p>').text == "Title\n\nText"


def test_menus_are_left_out_and_lists_with_links_are_not() -> None:
    links = "".join(f'<li><a href="/{n}">Chapter {n}</a></li>' for n in range(8))
    sources = "".join(
        f'<li>A writer, <a href="/{n}">A book</a>, and what it says of jam.</li>' for n in range(8)
    )
    text = extract(f"<body><p>An article.</p><ul>{links}</ul><ul>{sources}</ul></body>").text
    assert "Chapter" not in text
    assert text.count("A book") == 8


def test_links_to_other_chapters_are_left_out() -> None:
    bar = '<div class="x"><a href="3">‹ Chapter 3</a> <a href="0">up</a> <a href="5">Chapter 5 ›</a></div>'
    assert extract(f"<body><h1>Four</h1><p>Text.</p>{bar}</body>").text == "Four\n\nText."


def test_a_book_is_read_without_its_licence() -> None:
    start = (
        "The Project Gutenberg EBook of Jam, by A. Baker\n\n*** START OF THIS PROJECT GUTENBERG EBOOK JAM ***"
    )
    header = f"<pre>{start}</pre>"
    licence = "<pre>*** END OF THIS PROJECT GUTENBERG EBOOK JAM ***\n\n1.F. Donations\n</pre>"
    assert extract(f"<body>{header}<p>Boil.</p>{licence}</body>").text == "Boil."
    assert extract("<body><p>Boil.</p><p>Project Gutenberg has more.</p></body>").text.endswith("has more.")


def test_a_page_of_nothing_but_links_is_read_whole() -> None:
    assert (
        "Chapter 7"
        in extract("<body><ul>" + "".join(f"<li><a>Chapter {n}</a></li>" for n in range(8)) + "</ul>").text
    )


@pytest.mark.parametrize(
    "page",
    [
        "",
        "  ",
        "<html></html>",
        "<script>x</script>",
        "<title>Only a title</title>",
        "<frameset><frame src=x>",
    ],
)
def test_a_page_that_shows_nothing_has_no_main_text(page: str) -> None:
    with pytest.raises(NoTextError) as failure:
        extract(page)
    assert failure.value.reason == "no_main_text"


def test_xhtml_may_close_any_tag_at_once() -> None:
    head = '<?xml version="1.0" encoding="x"?><html><head><title>T</title><script src="x"/></head>'
    page = head + '<body><p><a id="1"/>Text</p></body></html>'
    assert extract(page).text == "Text"


def test_titles_come_from_the_head_or_the_first_heading() -> None:
    assert extract("<title> A\n b </title><h1>C</h1>").title == "A b"
    assert extract("<h1>A <i>heading</i></h1><p>x").title == "A heading"
    assert extract("<p>x").title is None


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 300_000 + "text",
        "<div>" * 20_000 + "text" + "</div>" * 20_000,
        "<p " + " ".join(f"a{n}=1" for n in range(100_000)) + ">text",
        "<p " + " ".join(f"a{n}='<'" for n in range(100_000)) + ">text",
        "<span>" * 60_000 + "</u>" * 60_000 + "text",
        "<table>" + "<tr><td>text</td></tr>" * 200_000 + "</table>",
        "<div>" * 300 + "<p>text " * 200_000,
        "<b>" * 100_000 + "text",
        "<ul><li>" * 50_000 + "text",
        "<a<" * 200_000 + "> text",
        "<!--" * 200_000 + "--> text",
        "text <p" + " x" * 500_000,
        "<ul>" + "<li>text</li>" * 40_000 + "</ul>",
        "<div>" * 150 + "<a href=x>text</a> " * 10_000,
        "<svg>" * 20_000 + "</svg>" * 20_000 + "text",
        "<script>" * 100_000 + "</script>text",
    ],
)  # fmt: skip
def test_no_page_keeps_a_reader_for_long(page: str) -> None:
    assert "text" in extract(page).text


def test_real_pages_are_not_costly() -> None:
    article = "<div class='a'><p>Some <b>words</b> <a href='x'>and</a> more.</p><ul><li>one<li>two</ul></div>"
    assert not is_costly("<html><body>" + "<div>" * 30 + article * 3_000)


@given(
    st.text(max_size=100)
    | scraps(
        "< > <p </p> <div> </div> <!-- <table> <td> ' \" &#0; é \ud800 \x00 <ul> <li> = </ul> <time> <title> <svg>"
    )
)
def test_anything_at_all_is_read_or_has_no_main_text(text: str) -> None:
    is_costly(text)
    visible_text(text)
    first = extracted_or_reason(extract, text)
    assert first == extracted_or_reason(extract, text)
    if isinstance(first, str):
        assert first == "no_main_text"
    else:
        assert first.text.strip() == first.text != ""
        first.text.encode()


def test_pages_are_told_from_text_about_pages() -> None:
    for page in (
        PAGE,
        "<html>\n<head>",
        "\ufeff \n<!-- x --><HTML lang=en><BODY>",
        "<!doctype html><title>x</title>",
    ):
        assert is_page(page)
        assert reader_for("page.txt", page).name == "html"
        assert reader_for("page.xml", page).name == "html"
    for text in (
        "Plain text about <html> and <body>.",
        "<!-- a comment -->\n# A heading in Markdown",
        "<p align=center>A read-me</p>\n\n# Its title",
        "<html> is the first tag of a page, and then come others.",
        "<article><p>x</p></article>",
        "<?php echo 1; ?>",
        "",
    ):
        assert not is_page(text)
        assert reader_for("notes.txt", text).name == "plain"
    assert reader_for("page.html", "Nothing but text, 1 < 2.").name == "plain"
    assert reader_for("page.htm", "<p>A piece of a page").name == "html"
    assert (
        reader_for("page.xhtml", '<?xml version="1.0"?><html xmlns="x"><head><title>x</title>').name == "html"
    )
    assert may_be_page("<BODY bgcolor=white>")


def test_the_version_names_the_library_that_decides_what_is_text() -> None:
    assert re.fullmatch(r"1\+resiliparse-\d+\.\d+\.\d+", HTML.version)
