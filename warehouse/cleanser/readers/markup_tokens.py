"""Markup as a flat series of tokens: tags, and the text between them.

Tags, comments and sections can be told apart without knowing what is inside what, so one regular expression finds
them (Extensible Markup Language 1.0, fifth edition, §2.4 to §3.1: every construct but the nesting of elements is
regular). What is not well-formed needs no second parser then: a lone ``<`` is text, and a tag that is never closed
costs nothing but itself. Nothing is fetched, and nothing but short entities of the document's own is expanded.

Every alternative stops at the next ``<`` or runs to the end of the text once, so the time is linear in the text.

What lives here: tokens and character references. What does not: what a tag means.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from html.entities import html5
from typing import Literal

Token = tuple[Literal["text", "literal", "start", "end", "doctype"], str, str]
"""Kind, content and attributes: the text (still with references), the text of a CDATA section, a tag's name as
it stands with its attributes, or the document type declaration. An empty element is a start and an end."""

LONGEST_ENTITY_CHARACTERS = 1_000
"""An entity of the document's own that is longer is left out: it is no abbreviation but a file."""

EXPANDED_CHARACTERS = 1 << 20
"""What entities of the document's own may add to its text in all; later ones are left out. (Expat allows
hundredfold growth; abbreviations need nothing of the kind.)"""

DEEPEST_ELEMENTS = 10_000
"""Elements inside each other; real documents have some tens. What is open takes memory."""

_NAME = r"[A-Za-z_:\u0080-\U0010ffff][^\s<>/=\"'&]*+"
_TOKEN = re.compile(
    rf"""<(?:
        !--(?P<comment>.*?)(?:-->|\Z)
      | !\[CDATA\[(?P<literal>.*?)(?:\]\]>|\Z)
      | \?xml:namespace\b[^<>]*+>  # an old Word's, which ends like a tag
      | \?[A-Za-z].*?(?:\?>|\Z)
      | (?P<doctype>![Dd][Oo][Cc][Tt][Yy][Pp][Ee]\b(?:[^<>\[\]"']++|"[^"<]*+"|'[^'<]*+'|["'])*+
            (?:\[(?:[^\]"'<]++|"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|<!--.*?(?:-->|\Z)|<)*+(?:\]|\Z))?+
        )[^<>]*+>?
      | (?P<closing>/?)(?P<name>{_NAME})(?P<attributes>(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)>
      | (?P<stray>/?{_NAME}[^<>]*+)(?:>|\Z)
      | ![A-Z][^<>]*+>
    )""",
    re.VERBOSE | re.DOTALL,
)
_STRAY = re.compile(rf"(/?)({_NAME})(.*)", re.DOTALL)
_ENTITY = re.compile(r"""<!ENTITY\s+([\w.:-]+)\s+(?:"([^"]*)"|'([^']*)')\s*>""")
_REFERENCE = re.compile(r"&(#[0-9]{1,8}|#[xX][0-9A-Fa-f]{1,8}|[A-Za-z][\w.:-]{0,63});")
_BEFORE_ROOT = re.compile(r"\ufeff?(?:\s+|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)


def tokens(text: str, raw: frozenset[str] = frozenset()) -> Iterator[Token]:
    """The tokens of `text` in order; comments and processing instructions are left out.

    Args:
        text: characters of a document or of a piece of one.
        raw: lower-case names of elements whose content is no markup (HTML's scripts); it is left out.
    """
    position = 0
    while found := _TOKEN.search(text, position):
        if found.start() > position:
            yield "text", text[position : found.start()], ""
        position = found.end()
        name, closing, attributes = found["name"], found["closing"], found["attributes"] or ""
        if found["stray"] is not None:
            stray = _STRAY.match(found["stray"])
            assert stray is not None  # noqa: S101  # the same pattern has just matched
            closing, name, attributes = stray.groups()
        if name is not None:
            yield "end" if closing else "start", name, attributes
            if attributes.endswith("/") and not closing:
                yield "end", name, ""
            elif name.lower() in raw and not closing:
                position = _end_of_raw(text, position, name)
        elif found["literal"]:
            yield "literal", found["literal"], ""
        elif found["doctype"]:
            yield "doctype", found["doctype"], ""
    if position < len(text):
        yield "text", text[position:], ""


def _end_of_raw(text: str, position: int, name: str) -> int:
    end = re.compile(rf"</{re.escape(name)}\b", re.IGNORECASE).search(text, position)
    return len(text) if end is None else end.start()


def balanced(flat: Iterable[Token]) -> Iterator[Token]:
    """The same tokens with elements properly inside each other, as XML wants them: an end tag that closes nothing is
    left out, and what is still open where something around it ends, ends there. Tags deeper than `DEEPEST_ELEMENTS`
    are left out, not what is in them.
    """
    inside: list[str] = []
    times: Counter[str] = Counter()
    too_deep: Counter[str] = Counter()
    for token in flat:
        kind, name, _ = token
        if kind == "start" and len(inside) >= DEEPEST_ELEMENTS:
            too_deep[name] += 1
        elif kind == "start":
            inside.append(name)
            times[name] += 1
            yield token
        elif kind == "end" and too_deep[name]:
            too_deep[name] -= 1
        elif kind == "end":
            while times[name]:
                last = inside.pop()
                times[last] -= 1
                yield "end", last, ""
                if last == name:
                    break
        else:
            yield token
    for name in reversed(inside):
        yield "end", name, ""


def names(spaced: str) -> frozenset[str]:
    """A set of tag names that are written one after the other."""
    return frozenset(spaced.split())


def local_name(name: str) -> str:
    """A tag's name without the prefix of its namespace.

    >>> local_name("mml:math")
    'math'
    """
    return name.rpartition(":")[2]


def attribute(attributes: str, name: str) -> str | None:
    """The value of an attribute, references decoded; None where it is not there.

    >>> attribute(' ref-type="bibr" rid="r1"', "ref-type")
    'bibr'
    """
    found = re.search(
        rf"""(?:^|\s){re.escape(name)}\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>/]+))""", attributes
    )
    return unescape(next(value for value in found.groups() if value is not None)) if found else None


def declared_entities(doctype: str) -> dict[str, str]:
    """The general entities that a document type declaration defines as text, without tags.

    Their references to each other are not followed, so that they cannot grow.

    >>> declared_entities('!DOCTYPE book [ <!ENTITY product "Jam &amp; Co"> ]')
    {'product': 'Jam & Co'}
    """
    found: dict[str, str] = {}
    for name, double_quoted, single_quoted in _ENTITY.findall(doctype):
        value = double_quoted or single_quoted
        if len(value) <= LONGEST_ENTITY_CHARACTERS:
            found.setdefault(name, _TOKEN.sub("", decoder({})(value)))
    return found


def decoder(entities: Mapping[str, str]) -> Callable[[str], str]:
    """A function that decodes the references in a text: to characters, to HTML's named characters (which hold the
    ISO sets of scholarly document types), and to the `entities` of the document. Unknown ones stay as they are.

    >>> decoder({"product": "Jam"})("&product; &lt; &eacute;&#x20AC; AT&T &unknown;")
    'Jam < é€ AT&T &unknown;'
    """
    left = EXPANDED_CHARACTERS

    def character(found: re.Match[str]) -> str:
        nonlocal left
        name = found[1]
        if name.startswith("#"):
            return unescape(found[0])
        if name in entities:
            left -= len(entities[name])
            return entities[name] if left >= 0 else ""
        return html5.get(name + ";", found[0])

    def decode(text: str) -> str:
        return _REFERENCE.sub(character, text) if "&" in text else text

    return decode


@dataclass(frozen=True)
class Root:
    """How a document begins.

    Attributes:
        name: its root element's name, as it stands; "" where the text does not begin with one.
        attributes: of the root element, as they stand.
        doctype: the document type declaration; "" where there is none.
        declared: whether an XML declaration comes first.
    """

    name: str
    attributes: str
    doctype: str
    declared: bool


def root_of(head: str) -> Root:
    """What the first characters of a document say about it.

    >>> root_of('<?xml version="1.0"?><!-- a note --><rss version="2.0"><channel>').name
    'rss'
    >>> root_of("Less < more").name
    ''
    """
    declared = head.lstrip("\ufeff \t\r\n").startswith("<?xml ")
    position = _BEFORE_ROOT.match(head).end()  # type: ignore[union-attr]  # the pattern matches the empty text
    found = _TOKEN.match(head, position)
    doctype = ""
    if found is not None and found["doctype"]:
        doctype = found["doctype"]
        position = _BEFORE_ROOT.match(head, found.end()).end()  # type: ignore[union-attr]  # as above
        found = _TOKEN.match(head, position)
    if found is None or not found["name"] or found["closing"]:
        return Root("", "", doctype, declared)
    return Root(found["name"], found["attributes"], doctype, declared)
