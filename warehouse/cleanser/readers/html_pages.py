"""HTML pages: the main text, without navigation, scripts, style and footers. One stream is one page.

**Resiliparse** (https://resiliparse.chatnoir.eu, Apache-2.0) finds the main text, by rules on the tree that the Lexbor
parser builds. It was chosen over the others because it loses the least text and is ten to thirty times as fast. On 143
long pages (13 MB), one core:

=================  =========  =======  ==========================================================
library            text kept  pages/s  why not
=================  =========  =======  ==========================================================
Resiliparse 2.0.1  99.85 %    770
Trafilatura 2.3.1  99.07 %    53       needs tld (MPL, GPL or LGPL) and 50 MB for reading dates
Readability 0.9    97.66 %    63       needs chardet 5 (LGPL)
jusText 3.0.2      96.81 %    27       needs to be told the language
=================  =========  =======  ==========================================================

(Text kept: word 5-grams of the paragraphs, headings and list items of 40 characters and more that are in the result.)

Its rule for lists takes each one near the top of a page for a menu. So lists that are not mostly links are shown to it
as sections, and dates, which it would cut out of sentences, as spans. Divisions of nothing but links it leaves in,
unless they are deep in the page; they are taken out first. What is missing then is links to other pages.

It also takes a text of three bytes that ends in a letter that is not ASCII, as a Chinese letter or a short French word
between tags is, for an icon and drops it. So texts of one or two letters get a companion that no text holds, a
noncharacter, until the page has been read.

A page without main text is read for its visible text, and so is one that a tree would be too costly for
(`html_cost.py`).
"""

from __future__ import annotations

import re
from importlib.metadata import version

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import ElementNode, HTMLTree, TextNode

from warehouse.cleanser.readers.gutenberg import LINE, gutenberg_parts, line_found
from warehouse.cleanser.readers.html_cost import is_costly
from warehouse.cleanser.readers.html_visible import visible_text
from warehouse.cleanser.readers.markup_ranges import whole_stream
from warehouse.cleanser.readers.markup_tokens import names, root_of
from warehouse.cleanser.readers.reader import Extracted, NoTextError, Reader

LINK_SHARE_OF_MENU = 0.5
"""A list is a menu if more of its characters are in links."""

LONGEST_MENU_CHARACTERS = 5_000
"""What is longer is no menu but an index that somebody wrote."""

LINK_SHARE_OF_LINK_BAR = 0.9
"""A division is a bar of links (to other chapters, say) if more of its characters are in links."""

_SKIPPED = (
    *("img", "area", "svg", ".noprint", ".mw-editsection", ".mw-jump-link"),
    *("sup.reference", "ol.references", ".navbox", ".catlinks"),
)
"""Left out everywhere: names of pictures, and what the most common wiki puts between and after sentences."""

DEEPEST_FIRST_BLOCK = 5
_BLOCKS = names("p div section article h1 h2 h3 h4 h5 h6 blockquote")
COMPANION = "\ufdd0"
"""A noncharacter: Unicode (§23.7) keeps it for use inside a program."""

_SHORT_TEXT = re.compile(
    r""">[ \t\r\n\f]*+(?!(?:[\ue000-\uf8ff¶]|&para;)[ \t\r\n\f]*<)
        (?:&\#?\w{2,31};?|[^<>\ \t\r\n\f]){1,2}(?=[ \t\r\n\f]*+(?:<|\Z))""",
    re.VERBOSE,
)
"""Letters or references to them, but for icons (private use) and the signs by which a page links to its headings."""

_DOCTYPE = re.compile(r"!doctype\s+html\b", re.IGNORECASE)
_STRUCTURE = re.compile(r"<(?:head|body|title|meta|link|frameset)\b[^<>]*>", re.IGNORECASE)
_ANY_TAG = re.compile(
    r"</?(?:html|head|body|title|meta|p|div|span|a|h[1-6]|table|ul|ol|br|pre|font|center|img|hr|b|i)\b[^<>]*>",
    re.IGNORECASE,
)
_CLOSED_IN_XHTML = re.compile(
    r"<(a|script|style|title|textarea|iframe|noscript|div|p|span|td|th|li|i|b|em|strong|h[1-6]|object)\b([^<>]*)/>",
    re.IGNORECASE,
)
_MANY_BLANK_LINES = re.compile(r"\n{3,}")


def is_page(head: str) -> bool:
    """Whether a document that begins so can be nothing but a page: prose about HTML may begin with a tag, too."""
    root = root_of(head)
    is_html = _DOCTYPE.match(root.doctype) is not None or root.name.lower() == "html"
    return is_html and (_STRUCTURE.search(head) is not None or (bool(root.doctype) and bool(root.name)))


def may_be_page(head: str) -> bool:
    """Whether there is any HTML in the head of a stream whose name says that it is a page."""
    return _DOCTYPE.match(root_of(head).doctype) is not None or _ANY_TAG.search(head) is not None


def extract(text: str) -> Extracted:
    """The page's main text, or where there is none its visible text.

    Raises:
        NoTextError: ``no_main_text`` if it shows none.
    """
    page = text.encode("utf-8", "replace").decode("utf-8")
    if root_of(page).declared:
        page = _CLOSED_IN_XHTML.sub(r"<\1\2></\1>", page)
    found = visible_text(page) if is_costly(page) else _extracted_by_tree(page)
    if not found.text:
        raise NoTextError("no_main_text")
    return found


def _extracted_by_tree(page: str) -> Extracted:
    tree = HTMLTree.parse(_SHORT_TEXT.sub(rf"\g<0>{COMPANION}", page))
    title = _title_of(tree.title)
    body = tree.body
    if body is None:
        return visible_text(page)
    if not title:
        heading = body.query_selector("h1")
        title = "" if heading is None else _title_of(heading.text)
    for element in _all(body, "div"):
        if _link_share(element) > LINK_SHARE_OF_LINK_BAR and element.query_selector("h1") is None:
            element.remove()
    for element in _all(body, "ul"):
        if _link_share(element) <= LINK_SHARE_OF_MENU:
            _show_as_sections(tree, element)
    for element in _all(body, "time"):
        _rename(tree, element, "span")
    text = _tidy(extract_plain_text(tree, main_content=True, skip_elements=_SKIPPED))
    if not text:
        text = _tidy(extract_plain_text(tree, main_content=False, skip_elements=_SKIPPED))
    return Extracted(_without_licence(text), title or None)


def _without_licence(text: str) -> str:
    """A book without Project Gutenberg's header and licence; other text as it is."""
    if "utenberg" not in text and "UTENBERG" not in text:
        return text
    data = text.encode()
    lines = [line_found(found, found.start(), found.end()) for found in LINE.finditer(data)]
    parts = gutenberg_parts(lines, 0, len(data), 1)
    return b"".join(data[part.start : part.end] for part in parts if part.reason is None).decode().strip("\n")


def _title_of(text: str | None) -> str:
    return " ".join((text or "").replace(COMPANION, "").split())


def _all(element: ElementNode, name: str) -> tuple[ElementNode, ...]:
    """All such elements in another, as a tuple: the library searches its own collections anew for each item."""
    return tuple(element.query_selector_all(name)[:])


def _link_share(element: ElementNode) -> float:
    """The share of an element's visible characters that are in links; 0 where it is long."""
    n_visible = _n_visible(element.text)
    if not 0 < n_visible <= LONGEST_MENU_CHARACTERS:
        return 0.0
    return sum(_n_visible(link.text) for link in _all(element, "a")) / n_visible


def _n_visible(text: str | None) -> int:
    return sum(map(len, (text or "").split()))


def _show_as_sections(tree: HTMLTree, listed: ElementNode) -> None:
    """A list as a section whose items are sections that begin with a bullet."""
    for item in listed.children[:]:
        if item.local_name == "li":
            start = _first_block(item)
            bullet = tree.create_text_node(f"•{COMPANION} ")
            if bullet is not None:
                start.insert_before(bullet, start.first_child)
            _rename(tree, item, "section")
    _rename(tree, listed, "section")


def _first_block(item: ElementNode) -> ElementNode:
    """The innermost block with which an item begins, or the item."""
    for _ in range(DEEPEST_FIRST_BLOCK):
        child = item.first_child
        while isinstance(child, TextNode) and not (child.text or "").strip():
            child = child.next_sibling
        if not isinstance(child, ElementNode) or child.local_name not in _BLOCKS:
            break
        item = child
    return item


def _rename(tree: HTMLTree, element: ElementNode, name: str) -> None:
    renamed = tree.create_element(name)
    parent = element.parent
    if parent is None or not isinstance(renamed, ElementNode):
        return
    for attribute in element.attribute_names:
        renamed.set_attribute(attribute, element.get_attribute(attribute) or "")
    while (child := element.first_child) is not None:
        renamed.append_child(child)
    parent.replace_child(renamed, element)


def _tidy(text: str) -> str:
    """The text without companions, blank space at the ends of lines and around it, and at most one blank line in a
    row."""
    lines = "\n".join(line.rstrip() for line in text.replace(COMPANION, "").split("\n"))
    return _MANY_BLANK_LINES.sub("\n\n", lines).strip()


HTML = Reader(
    "html",
    f"1+resiliparse-{version('resiliparse')}",
    frozenset({".html", ".htm", ".xhtml", ".xht", ".shtml"}),
    whole_stream,
    accepts=may_be_page,
    proves=is_page,
    extract=extract,
)
