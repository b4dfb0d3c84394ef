"""Wikitext without its markup: the sentences, headings and lists of an article.

Removed with what is in them: templates, tables, references, pictures, galleries, categories, links to other languages,
comments. Kept: what links, bold and italic type enclose; list items, a line each; headings, with blank lines around
them, where text follows. Templates that stand for words in a sentence become the words (`mediawiki_templates.py`).

Brackets are matched in one pass with a stack: the time is linear, and what is never closed costs only its brackets.

Syntax: https://www.mediawiki.org/wiki/Help:Formatting, Help:Links, Help:Tables, Help:Templates.
"""

# ruff: noqa: RUF001  # dashes and minus signs are the subject

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from io import StringIO

from warehouse.cleanser.readers.markup_tokens import decoder, names
from warehouse.cleanser.readers.mediawiki_templates import words_of_template

DEEPEST_TEMPLATES = 40
"""MediaWiki expands no template deeper inside others (``$wgMaxTemplateDepth``); none deeper is read for words."""

DEEPEST_BRACKETS = 10_000
"""Brackets that are deeper inside others are left out: what is open takes memory."""

_LINE = re.compile(r"([^\n]*+)(?:\n|\Z)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_RAW = names("nowiki pre syntaxhighlight source")
_REMOVED = names(
    """ref references gallery math chem ce timeline score hiero imagemap graph mapframe maplink templatestyles
    templatedata inputbox includeonly section indicator categorytree"""
)
_ELEMENT = re.compile(rf"<(/?)({'|'.join(sorted(_RAW | _REMOVED))})\b([^<>]*)>", re.IGNORECASE)
_READABLE_FORMULA = re.compile(r"[^\\{}<>\n]{1,60}")
_BRACKET = re.compile(r"\{\{+|\}\}+|^[ \t:]*\{\||^[ \t]*\|\}(?!\})|\[\[|\]\]", re.MULTILINE)
_EXPONENT = re.compile(r"(?<=\d)<sup>([−–+-]?\d+)</sup>", re.IGNORECASE)
_LINE_TAG = re.compile(
    r"</?(?:br|p|div|li|ul|ol|dl|dd|dt|tr|blockquote|center|poem|h[1-6])\b[^<>]*>", re.IGNORECASE
)
_OTHER_TAGS = names(
    """sub sup small big span u s b i em strong del ins strike tt code kbd samp var cite q abbr font bdi bdo ruby
    rb rt rp mark time dfn hr wbr noinclude onlyinclude table th td tbody caption"""
)
_TAG = re.compile(
    r"</?(?:br|p|div|li|ul|ol|dl|dd|dt|tr|blockquote|center|poem|h[1-6])\b[^<>]*>", re.IGNORECASE
)
_OTHER_TAGS = names(
    """sub sup small big span u s b i em strong del ins strike tt code kbd samp var cite q abbr font bdi bdo ruby
    rb rt rp mark time dfn hr wbr noinclude onlyinclude table th td tbody caption"""
)
_TAG = re.compile(rf"</?(?:{'|'.join(sorted(_OTHER_TAGS | _RAW | _REMOVED))})\b[^<>]*>", re.IGNORECASE)
_EXTERNAL_LINK = re.compile(
    r"\[(?:(?:https?|ftp|irc|news):|mailto:|//)[^\s\[\]<>]*+[ \t]*([^\[\]\n]*+)\]", re.IGNORECASE
)
_QUOTES = re.compile(r"'{2,}")
_MAGIC_WORD = re.compile(r"__[A-Z]{3,30}__")
_EMPTY_BRACKETS = re.compile(r"[ \t]?\([ \t,;:–-]*\)")
_LEFT_IN_BRACKETS = re.compile(r"(?<=\()[ \t,;]++|(?<![ \t,;])[ \t,;]++(?=\))")
_SPACE_BEFORE = re.compile(r"[ \t]+(?=[,.](?:\s|$))")
_SPACES = re.compile(r"[ \t]{2,}")
_LIST_ITEM = re.compile(r"([*#:;]+)[ \t]*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z-]{2,12})?|simple")
_NOT_LINKS = names(
    """file image category media datei bild kategorie fichier catégorie archivo imagen categoría categoria immagine
    ficheiro imagem arquivo bestand afbeelding categorie plik grafika kategoria файл изображение категория
    зображення категорія soubor fil kategori bilde tiedosto luokka kuva fájl kép kategória fișier imagine dosya resim
    tập_tin thể_loại berkas ملف صورة تصنيف קובץ תמונה קטגוריה चित्र श्रेणी ไฟล์ ภาพ หมวดหมู่
    ファイル 画像 カテゴリ 文件 档案 檔案 图像 圖像 分类 分類 파일 그림 분류"""
)
"""Namespaces of pictures and categories in the languages with the most articles; the English ones hold in all."""

_PROTECTED = re.compile(r"[\[\]{}|'=*#:;<>_~\n\t ()-]")
_decode = decoder({})


def plain_text(wikitext: str) -> str:
    r"""The plain text; "" where nothing is left.

    >>> plain_text("'''Jam''' is a [[fruit preserves|preserve]].<ref>A book</ref>\n\n== Making ==\n* [[Sugar]]")
    'Jam is a preserve.\n\nMaking\n\n• Sugar'
    """
    text = _COMMENT.sub("", wikitext)
    text = "".join(_without_elements(text))
    text = _without_brackets(text)
    text = _EXTERNAL_LINK.sub(r"\1", text)
    text = _EXPONENT.sub(r"^\1", text)
    text = _TAG.sub("", _LINE_TAG.sub("\n", text))
    text = _MAGIC_WORD.sub("", _QUOTES.sub(_apostrophes, text))
    written = StringIO()
    for line in _lines(text):
        written.write(line + "\n")
    return written.getvalue().strip("\n")


def _apostrophes(found: re.Match[str]) -> str:
    """Two mark italic type, three bold, five both; what is left are apostrophes."""
    n = len(found[0])
    return "'" * (n - 5 if n > 5 else n == 4)


def _without_elements(text: str) -> Iterator[str]:
    """The text between elements that are no prose; what is no wikitext is protected from being read as some."""
    last_end = {found[2].lower(): found.start() for found in _ELEMENT.finditer(text) if found[1]}
    position = 0
    inside: str | None = None
    for found in _ELEMENT.finditer(text):
        name = found[2].lower()
        if inside is None:
            yield text[position : found.start()]
            position = found.end()
            if not found[1] and not found[3].endswith("/") and last_end.get(name, 0) > found.start():
                inside = name
        elif found[1] and name == inside:
            content = text[position : found.start()]
            if name in _RAW:
                yield _PROTECTED.sub(_as_reference, content)
            elif name == "math" and _READABLE_FORMULA.fullmatch(content):
                yield content
            position = found.end()
            inside = None
    yield text[position:]


def _as_reference(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"


class _Open:
    """A bracket that is open: what opened it, and what has been read in it."""

    def __init__(self, bracket: str) -> None:
        self.bracket = bracket
        self.parts: list[str] = []


_CLOSES = {"}}": "{{", "]]": "[[", "|}": "{|"}
_OPENS = frozenset(_CLOSES.values())


def _without_brackets(text: str) -> str:
    stack = [_Open("")]
    times: Counter[str] = Counter()
    position = 0
    for found in _BRACKET.finditer(text):
        stack[-1].parts.append(text[position : found.start()])
        position = found.end()
        run = found[0].lstrip(" \t:")
        bracket = run[:2]
        for _ in range(len(run) // 2):
            if bracket in _OPENS and len(stack) > DEEPEST_BRACKETS:
                break
            if bracket in _OPENS:
                stack.append(_Open(bracket))
                times[bracket] += 1
            elif times[_CLOSES[bracket]]:
                _close(stack, times, _CLOSES[bracket])
    stack[-1].parts.append(text[position:])
    return "".join(part for open_ in stack for part in open_.parts)


def _close(stack: list[_Open], times: Counter[str], bracket: str) -> None:
    """Close the innermost such bracket; those inside it that were never closed are as if they were not there."""
    unclosed: list[_Open] = []
    while (closed := stack.pop()).bracket != bracket:
        times[closed.bracket] -= 1
        unclosed.append(closed)
    times[bracket] -= 1
    if bracket == "{|" or len(stack) > DEEPEST_TEMPLATES:
        return
    content = "".join(closed.parts) + "".join(part for open_ in reversed(unclosed) for part in open_.parts)
    stack[-1].parts.append(words_of_template(content) if bracket == "{{" else _label(content))


def _label(link: str) -> str:
    """What a link shows; "" for pictures, categories and the same article in other languages."""
    target, pipe, label = link.partition("|")
    prefix, colon, rest = target.strip().partition(":")
    if colon and prefix.strip().lower().replace(" ", "_") in _NOT_LINKS:
        return ""
    if "\n\n" in link or label.strip():
        return label if pipe else link
    if colon and not prefix:
        return rest
    if pipe:
        return re.sub(r"\s*\([^()]*\)$|,.*$", "", rest if colon else target).strip()
    return "" if colon and _LANGUAGE.fullmatch(prefix) else target.strip()


def _lines(text: str) -> Iterator[str]:
    """Lines of the result: paragraphs and headings between blank lines, list items without their marks."""
    headings: list[tuple[int, str]] = []
    is_blank = True
    for found in _LINE.finditer(text):
        line = _tidy(found[1])
        level = _heading_level(line)
        if level:
            headings = [heading for heading in headings if heading[0] < level]
            headings.append((level, line.strip("= ")))
            continue
        item = _LIST_ITEM.match(line)
        if item:
            rest = line[item.end() :].lstrip(" ,;:")
            line = "• " + rest if item[1][-1] in "*#" and any(map(str.isalnum, rest)) else rest.strip(".•·")
        line = _decode(line).strip()
        if line and headings:
            for _, heading in headings:
                yield from ([] if is_blank else [""])
                yield from (_decode(heading), "")
                is_blank = True
            headings.clear()
        if line or not is_blank:
            yield line
        is_blank = not line


def _tidy(line: str) -> str:
    """A line without what templates and references leave behind."""
    line = _SPACES.sub(" ", line)
    if "(" in line:
        line = _LEFT_IN_BRACKETS.sub("", _EMPTY_BRACKETS.sub("", line))
    line = _SPACE_BEFORE.sub("", line).strip(" \t\r")
    return "" if line.startswith("----") and not line.strip("-") else line


def _heading_level(line: str) -> int:
    if not line.startswith("=") or not line.endswith("=") or len(line) < 3:
        return 0
    before, after = len(line) - len(line.lstrip("=")), len(line) - len(line.rstrip("="))
    return min(before, after, 6) if line.strip("= ") else 0
