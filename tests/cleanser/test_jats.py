"""Journal articles: what a reader of the journal would read aloud."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cleanser.markup_reading import ENCODINGS, extracted_or_reason, ranges_of, read
from warehouse.cleanser.readers.jats import JATS, extract, is_jats
from warehouse.cleanser.readers.reader import LARGEST_RECORD_BYTES, DocumentRange, DroppedRange, NoTextError
from warehouse.cleanser.readers.registry import reader_for

ARTICLE = """<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) Journal Publishing DTD v1.1//EN" "journalpublishing1.dtd">
<article article-type="research-article" xmlns:mml="http://www.w3.org/1998/Math/MathML">
<front><journal-meta><journal-title>A Journal</journal-title></journal-meta><article-meta>
<title-group><article-title>Jam and its <italic>makers</italic></article-title></title-group>
<contrib-group><contrib><name><surname>Baker</surname></name></contrib></contrib-group>
<abstract><p>We boil.</p></abstract><kwd-group><kwd>sugar</kwd></kwd-group></article-meta></front>
<body>
<sec><label>1</label><title>Methods</title>
<p>Fruit boils at 10<sup>2</sup>&#xB0;C.<sup><xref ref-type="bibr">1</xref>,<xref ref-type="bibr">2</xref></sup>
It gels <xref ref-type="bibr" rid="r1">[1]</xref>; H<sub>2</sub>O leaves<fn><p>A note.</p></fn>.</p>
<fig><label>Figure 1</label><caption><title>A pot.</title><p>It is hot.</p></caption><graphic xlink:href="x"/></fig>
<table-wrap><label>Table 1</label><caption><p>Yields.</p></caption><table><tr><td>1.5</td></tr></table></table-wrap>
<disp-formula><alternatives><tex-math>\\frac{a}{b+c}</tex-math><mml:math><mml:mi>y</mml:mi><mml:mo>=</mml:mo>
<mml:mfrac><mml:mi>a</mml:mi><mml:mrow><mml:mi>b</mml:mi><mml:mo>+</mml:mo>
<mml:msup><mml:mi>c</mml:mi><mml:mn>2</mml:mn></mml:msup></mml:mrow></mml:mfrac></mml:math></alternatives><label>(1)</label></disp-formula></sec>
<sec><title>Supporting information</title><supplementary-material><p>(DOC)</p></supplementary-material></sec>
</body>
<back><ack><p>Thanks.</p></ack>
<ref-list><title>References</title><ref><article-title>Other</article-title></ref></ref-list></back>
</article>"""

TEXT = """Jam and its makers

We boil.

1. Methods

Fruit boils at 10^2°C. It gels [1]; H2O leaves.

Figure 1. A pot.

It is hot.

Table 1. Yields.

y=a/(b+c^2) (1)"""


def test_an_article_is_its_title_abstract_sections_and_captions() -> None:
    extracted = extract(ARTICLE)
    assert extracted.text == TEXT
    assert extracted.title == "Jam and its makers"


@pytest.mark.parametrize("encoding", [name for name in ENCODINGS if name != "cp1251"])
def test_the_record_is_the_stream_in_any_encoding_whatever_it_declares(encoding: str) -> None:
    plain = ARTICLE.replace("&#xB0;", " ")
    assert read(JATS, plain.encode(encoding), encoding) == ([TEXT.replace("°", " ")], [])


def test_a_byte_order_mark_is_no_part_of_it() -> None:
    data = b"\xef\xbb\xbf" + ARTICLE.encode()
    assert ranges_of(JATS, data, mark=3) == [
        DroppedRange(0, 3, "byte_order_mark"),
        DocumentRange(3, len(data)),
    ]


def test_what_is_too_large_or_binary_is_dropped_whole() -> None:
    data = b" " * (LARGEST_RECORD_BYTES + 1)
    assert ranges_of(JATS, data) == [DroppedRange(0, len(data), "record_too_large")]
    assert ranges_of(JATS, b"\x00\x01", None) == [DroppedRange(0, 2, "binary")]
    assert ranges_of(JATS, b"") == []


def test_articles_are_told_from_other_elements_of_that_name() -> None:
    assert is_jats(ARTICLE)
    assert is_jats('<article dtd-version="1.2" article-type="letter"><front>')
    assert not is_jats('<article xmlns="http://docbook.org/ns/docbook"><title>A manual</title>')
    assert not is_jats("<article class='post'><h1>News</h1></article>")
    assert reader_for("a.nxml", ARTICLE).name == reader_for("a.xml", ARTICLE).name == "jats"
    assert reader_for("unnamed", ARTICLE).name == "jats"


@given(cut=st.integers(0, len(ARTICLE)), hole=st.integers(0, 60))
def test_a_damaged_article_is_read_as_far_as_it_goes(cut: int, hole: int) -> None:
    for damaged in (ARTICLE[:cut], ARTICLE[:cut] + ARTICLE[cut + hole :]):
        first = extracted_or_reason(extract, damaged)
        assert first == extracted_or_reason(extract, damaged)
        assert not isinstance(first, str) or first == "no_text"


def test_depth_and_length_cost_no_more_than_they_must() -> None:
    for deep in ("<mfrac>", "<sup>", "<label>", "<sec><title>"):
        with pytest.raises(NoTextError):
            extract("<article><body>" + deep * 50_000)
    assert extract("<article><body>" + "<sec><title>T</title><p>x</p>" * 20_000).text.count("x") == 20_000


def test_every_real_article_is_prose(corpora: Path) -> None:
    for path in sorted((corpora / "prose" / "plos_xml").glob("*.xml")):
        text = path.read_text("utf-8")
        extracted = extract(text)
        assert is_jats(text[:16384])
        assert extracted.title
        assert extracted.text.startswith(extracted.title)
        assert len(extracted.text) > 1_500
        assert "<" not in extracted.text or " < " in extracted.text.replace("<", " < ")
        assert "documentclass" not in extracted.text
