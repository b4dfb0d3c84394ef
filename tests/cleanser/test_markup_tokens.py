"""Tags without nesting: a real parser's tokens where XML is well-formed, and tokens anyway where it is not."""

from xml.parsers import expat

from hypothesis import given
from hypothesis import strategies as st

from warehouse.cleanser.readers.markup_tokens import (
    attribute,
    balanced,
    declared_entities,
    decoder,
    root_of,
    tokens,
)

pieces = st.sampled_from(
    [
        "<a>",
        "</a>",
        "<b x='1>2'>",
        "</b>",
        "<c/>",
        "text ",
        "&lt;",
        "&#233;",
        "<!-- <a> -->",
        "<![CDATA[<a>]]>",
        "<?pi <a>?>",
        "\n",
    ]
)
scraps = st.lists(
    pieces
    | st.sampled_from(
        ["<", ">", '"', "'", "<!", "<!--", "]]>", "<![CDATA[", "<?", "<a", "</", "<!DOCTYPE x [", "&", "]"]
    ),
    max_size=40,
).map("".join)


def seen_by_expat(document: str) -> list[tuple[str, str]] | None:
    """Tags and text as expat tells them; None where it refuses the document."""
    seen: list[tuple[str, str]] = []
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, _attributes: seen.append(("start", name))
    parser.EndElementHandler = lambda name: seen.append(("end", name))
    parser.CharacterDataHandler = lambda text: seen.append(("text", text))
    try:
        parser.Parse(document.encode(), True)
    except expat.ExpatError:
        return None
    return joined(seen)


def joined(seen: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same with neighbouring text in one piece."""
    result: list[tuple[str, str]] = []
    for kind, content in seen:
        if kind == "text" and result and result[-1][0] == "text":
            result[-1] = ("text", result[-1][1] + content)
        elif content:
            result.append((kind, content))
    return result


def seen_here(document: str) -> list[tuple[str, str]]:
    decode = decoder({})
    return joined(
        [
            ("text", decode(content) if kind == "text" else content)
            if kind in {"text", "literal"}
            else (kind, content)
            for kind, content, _ in balanced(tokens(document))
        ]
    )


@given(st.lists(pieces, max_size=20).map(lambda parts: f"<root>{''.join(parts)}</root>"))
def test_well_formed_xml_reads_as_expat_reads_it(document: str) -> None:
    expected = seen_by_expat(document)
    if expected is not None:
        assert seen_here(document) == expected


def test_the_property_above_is_not_empty() -> None:
    assert seen_by_expat("<root>a<b x='1>2'>&lt;<!-- <a> --><![CDATA[<a>]]></b></root>") == [
        ("start", "root"), ("text", "a"), ("start", "b"), ("text", "<<a>"), ("end", "b"), ("end", "root"),
    ]  # fmt: skip


@given(scraps | st.text(max_size=80))
def test_anything_at_all_becomes_balanced_tokens(text: str) -> None:
    depth = 0
    for kind, _, _ in balanced(tokens(text)):
        depth += (kind == "start") - (kind == "end")
        assert depth >= 0
    assert depth == 0


def test_what_is_not_well_formed_costs_nothing_but_itself() -> None:
    assert seen_here("<p>1 < 2 & 3 <b>fat</i> still</p> after") == [
        ("start", "p"), ("text", "1 < 2 & 3 "), ("start", "b"), ("text", "fat still"), ("end", "b"), ("end", "p"),
        ("text", " after"),
    ]  # fmt: skip
    assert seen_here('<p class="odd>text</p>') == [("start", "p"), ("text", "text"), ("end", "p")]
    assert seen_here("<p>cut off <emph") == [
        ("start", "p"),
        ("text", "cut off "),
        ("start", "emph"),
        ("end", "emph"),
        ("end", "p"),
    ]


def test_time_is_linear_in_what_never_closes() -> None:
    for scrap in (
        "<!--",
        "<![CDATA[",
        "<a ",
        "<a x='",
        "<!DOCTYPE x [",
        "<!DOCTYPE '",
        "<?x ",
        "</a>",
        "<a>",
        "&#1;",
    ):
        assert sum(1 for _ in balanced(tokens(scrap * 100_000))) <= 200_001


def test_scripts_are_no_markup() -> None:
    page = "<script>if (a<b) { '</p>' }</SCRIPT><p>Text</p>"
    assert [content for kind, content, _ in tokens(page, frozenset({"script"})) if kind == "text"] == ["Text"]


def test_attributes_are_read_whatever_their_quotes() -> None:
    assert attribute(" a='1' b=\"x &amp; y\" c=z", "b") == "x & y"
    assert attribute(" a='1' b=\"2\" c=z", "c") == "z"
    assert attribute(" data-a='1'", "a") is None


def test_entities_of_the_document_are_expanded_once_and_bounded() -> None:
    doctype = '!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY file SYSTEM "file:///etc/passwd">]'
    entities = declared_entities(doctype)
    assert entities == {"a": "ha", "b": "&a;&a;"}
    assert decoder(entities)("&a; &b; &file;") == "ha &a;&a; &file;"
    assert len(decoder({"a": "x" * 1_000})("&a;" * 1_000_000)) <= 2_000_000


def test_a_document_says_how_it_begins() -> None:
    root = root_of(
        "\ufeff<?xml version='1.0'?>\n<!-- <no> --><!DOCTYPE html PUBLIC '-//W3C//DTD'>\n<html lang='en'><head>"
    )
    assert (root.name, root.declared, root.attributes) == ("html", True, " lang='en'")
    assert root.doctype.startswith("!DOCTYPE html")
    assert root_of("# A heading\n<html>").name == ""
    assert root_of("</a>").name == ""
