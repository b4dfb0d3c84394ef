"""Words and sentences as datatrove counts them: the tokens of spaCy's blank English pipeline.

spaCy's algorithm is public (spacy.io/usage/linguistic-features#how-tokenizer-works) and restated here: text is cut
at white space; each piece loses prefixes and suffixes until it is a special word, a URL or nothing more comes off,
and what is left is cut at infixes. So a piece is cut alike wherever it stands, and is cut once (`Vocabulary` in
`word_counts`). The English rules are used for every language.

What lives here: how one piece is cut. What does not: counting.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache

from warehouse.cleanser.measures.characters import (
    LETTERS,
    LOWER_LETTERS,
    SENTENCE_ENDS,
    UPPER_LETTERS,
    character_class,
    icons,
)
from warehouse.cleanser.measures.special_words import special_words

Tokens = tuple[str, ...]

_PUNCTUATION = frozenset("…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪")  # noqa: RUF001  # these marks are meant
_QUOTES = frozenset("'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉〈〉⟦⟧")  # noqa: RUF001  # these are meant
_CURRENCY = frozenset("$£€¥฿₽﷼") | frozenset(map(chr, range(0x20A0, 0x20C0)))
_COUNTRY_DOLLARS = re.compile(r"^(?:US|C|A)\$")

_UNITS = (
    "[kdcm]?m[²³]?|ha|µm|nm|yd|in|ft|[kmµ]?g|t|lb|oz|m/s|km/h|kmh|mph|h?Pa|mbar|[mkgt]b|[MKGT]B|[TGMK%]|"
    "[кдсм]?м[²³]?|нм|к?г|мг|м/с|км/ч|к?Па|[КМГ]б|[кмг]б|[КМГТ]Б|Тб|тбكم|[كسم]?م[²³]?|غرام|جرام|جم|كغ|ملغ|كوب|اكواب"  # noqa: RUF001  # these are meant
)
"""Units of measure that are cut off a number; some of them are Cyrillic or Arabic."""

REMEMBERED_MARKS = 4_096

LONGEST_PIECE = 10_000
"""The time that it takes to cut a piece grows with its square."""

_ASCII_DIGITS = frozenset("0123456789")

_PLAIN = re.compile(
    r"(?P<before>[\"'(\[_“‘]*)"  # noqa: RUF001  # quotation marks
    r"(?P<core>[A-Za-z]+(?:-{1,3}[A-Za-z]+)*)"
    # A full stop comes off after a small letter or another mark; runs of them are something else.
    r"(?P<after>(?:['’][sS])?(?:(?<=[a-z,;:!?\"')\]_”’])\.(?!\.)|[,;:!?\"')\]_”’])*)"  # noqa: RUF001  # as above
).fullmatch
"""ASCII words, joined by hyphens or not, in marks that the rules cut off one by one: what most pieces of prose are."""
_HYPHENS = re.compile("(-+)")
_WORD = re.compile(r"[^\W\d_]+")
_MARK = re.compile(r"['’][sS]|.", re.DOTALL)  # noqa: RUF001  # as above


@cache
def _rules() -> _Rules:
    return _Rules()


def cut_word(piece: str) -> Tokens:
    """The tokens of a text without white space; joined they are the text.

    Args:
        piece: not empty; one of more than 10,000 characters is one token.
    """
    return _rules().cut(piece) if len(piece) <= LONGEST_PIECE else (piece,)


def cut_words(pieces: Iterable[str]) -> list[Tokens]:
    """`cut_word` of each piece."""
    rules = _rules()
    return [rules.cut(piece) if len(piece) <= LONGEST_PIECE else (piece,) for piece in pieces]


def is_punctuation(token: str) -> bool:
    """Whether a token consists of punctuation alone."""
    return not token.isalnum() and all(unicodedata.category(character)[0] == "P" for character in token)


def count_sentences(text: str) -> int:
    """Sentences by spaCy's rule: one ends at the last mark of a run of sentence ends and other punctuation.

    White space other than a single blank is a token too, as it is for spaCy, and begins a sentence.
    """
    n_sentences, ended = 1, False
    tokens = [
        token
        for piece in re.findall(r"\s+|\S+", text)
        for token in (cut_word(piece) if not piece.isspace() else () if piece == " " else (piece,))
    ]
    if not text.strip():
        return 0
    for token in tokens:
        if token in SENTENCE_ENDS:
            ended = True
        elif ended and not is_punctuation(token):
            n_sentences, ended = n_sentences + 1, False
    return n_sentences


class _Rules:
    """The general rules as sets and expressions, and the special words."""

    def __init__(self) -> None:
        letters, lower, upper = map(character_class, (LETTERS, LOWER_LETTERS, UPPER_LETTERS))
        pictures = character_class(icons())
        quotes = character_class(_QUOTES)
        self._ends_alone = _PUNCTUATION | _QUOTES | icons() | frozenset("—–")  # noqa: RUF001  # these are meant
        self._begins_alone = self._ends_alone | _CURRENCY | frozenset("§%=")
        self._before_stop = LOWER_LETTERS | _PUNCTUATION | _QUOTES | _ASCII_DIGITS | frozenset("%²-+|")
        self._measure = re.compile(rf"(?<=[0-9])(?:{_UNITS}|US\$|C\$|A\$|[{character_class(_CURRENCY)}])$")
        self._infix = _infix_expression(letters, lower, upper, quotes, f"|[{pictures}]")
        self._ascii_infix = _infix_expression("A-Za-z", "a-z", "A-Z", "'\"`,", "")
        self._url = _url_expression(lower)
        self._special = special_words()
        self._patterns = self._special_patterns()
        self._parts_of_special = {part for word in self._special for part in _WORD.findall(word)}
        self._marks: dict[str, Tokens] = {}

    def cut(self, piece: str) -> Tokens:
        special = self._special.get(piece)
        if special is not None:
            return special
        if piece.isalpha():
            return (piece,)
        if self._is_word_and_suffix(piece[:-1], piece[-1]):
            return (piece[:-1], piece[-1])
        plain = _PLAIN(piece)
        if plain is not None:
            before, core, after = plain.groups()
            words = _HYPHENS.split(core) if "-" in core else [core]
            # No special word can hold what is no part of any, nor reach across it.
            if self._parts_of_special.isdisjoint(words):
                return (*self._cut_marks(before), *words, *self._cut_marks(after))
        tokens = self._cut_by_rules(piece, self._special)
        return self._with_special_words(tokens) if len(tokens) > 1 else tokens

    def _is_word_and_suffix(self, word: str, suffix: str) -> bool:
        """Whether the rules would cut off the suffix and no more: a short cut for what is most frequent."""
        return (
            (suffix in self._ends_alone or (suffix == "." and word[-1:] in self._before_stop))
            and word.isalpha()
            and word not in self._special
            and word not in self._patterns
        )

    def _cut_marks(self, marks: str) -> Tokens:
        """The tokens of marks around a plain word. Few different ones occur, and these are remembered."""
        if not marks:
            return ()
        tokens = self._marks.get(marks)
        if tokens is None:
            tokens = self._with_special_words(tuple(_MARK.findall(marks)))
            if len(self._marks) < REMEMBERED_MARKS:
                self._marks[marks] = tokens
        return tokens

    def _cut_by_rules(self, piece: str, special: dict[str, Tokens]) -> Tokens:
        prefixes: list[str] = []
        suffixes: list[str] = []
        core = piece
        while core and core not in special:
            before = self._prefix_length(core)
            if before and core[before:] in special:
                prefixes.append(core[:before])
                core = core[before:]
                break
            after = self._suffix_length(core[before:])
            if after and core[:-after] in special:
                suffixes.append(core[-after:])
                core = core[:-after]
                break
            if not before and not after:
                break
            if before:
                prefixes.append(core[:before])
            if after:
                suffixes.append(core[len(core) - after :])
            core = core[before : len(core) - after]
        middle = special.get(core) or self._cut_inside(core) if core else ()
        return (*prefixes, *middle, *reversed(suffixes))

    def _prefix_length(self, text: str) -> int:
        first = text[0]
        if first.isalnum():
            return len(text) - len(_COUNTRY_DOLLARS.sub("", text)) if first in "UCA" else 0
        if first in self._begins_alone:
            return 1
        if first == ".":
            run = len(text) - len(text.lstrip("."))
            return run if run > 1 else 0
        return int(first == "+" and text[1:2] not in _ASCII_DIGITS)

    def _suffix_length(self, text: str) -> int:
        if not text:
            return 0
        last = text[-1]
        if last in self._ends_alone:
            return 2 if text.endswith("……") else 1
        if last == ".":
            run = len(text) - len(text.rstrip("."))
            if run > 1:
                return run
            return int(
                text[-2:-1] in self._before_stop or (len(text) > 2 and UPPER_LETTERS.issuperset(text[-3:-1]))
            )
        if last in "sS" and text[-2:-1] in ("'", "’"):  # noqa: RUF001  # these are meant
            return 2
        if text.isalpha() or _ASCII_DIGITS.isdisjoint(text):
            return 0
        if last == "+":
            return int(text[-2:-1] in _ASCII_DIGITS)
        measure = self._measure.search(text)
        return len(measure[0]) if measure else 0

    def _cut_inside(self, core: str) -> Tokens:
        if core.isalnum() or ("." in core and self._url(core)):
            return (core,)
        tokens: list[str] = []
        start = 0
        for infix in (self._ascii_infix if core.isascii() else self._infix).finditer(core):
            if not infix.start():
                continue
            if infix.start() > start:
                tokens.append(core[start : infix.start()])
            tokens.append(infix[0])
            start = infix.end()
        if start < len(core):
            tokens.append(core[start:])
        return tuple(tokens)

    def _special_patterns(self) -> dict[str, list[tuple[Tokens, Tokens]]]:
        """Special words that the rules would cut, by the first of the tokens that they would leave."""
        patterns: dict[str, list[tuple[Tokens, Tokens]]] = {}
        for word, tokens in self._special.items():
            if self._prefix_length(word) or self._suffix_length(word) or self._infix.search(word):
                pattern = self._cut_by_rules(word, {})
                patterns.setdefault(pattern[0], []).append((pattern, tokens))
        return patterns

    def _with_special_words(self, tokens: Tokens) -> Tokens:
        """The same with special words put together again: the longest first, then from the left."""
        found = [
            (len(pattern), -start, whole)
            for start, token in enumerate(tokens)
            for pattern, whole in self._patterns.get(token, ())
            if tokens[start : start + len(pattern)] == pattern
        ]
        if not found:
            return tokens
        taken: set[int] = set()
        replaced: dict[int, tuple[int, Tokens]] = {}
        for length, negative_start, whole in sorted(found, reverse=True):
            start = -negative_start
            if start not in taken and start + length - 1 not in taken:
                replaced[start] = (length, whole)
            taken.update(range(start, start + length))
        result: list[str] = []
        position = 0
        while position < len(tokens):
            length, whole = replaced.get(position, (1, tokens[position : position + 1]))
            result += whole
            position += length
        return tuple(result)


def _infix_expression(letters: str, lower: str, upper: str, quotes: str, pictures: str) -> re.Pattern[str]:
    return re.compile(
        rf"\.\.+|…{pictures}"
        r"|(?<=[0-9])[+\-*^](?=[0-9-])"
        rf"|(?<=[{lower}{quotes}])\.(?=[{upper}{quotes}])"
        rf"|(?<=[{letters}]),(?=[{letters}])"
        rf"|(?<=[{letters}0-9])(?:-{{1,3}}|–|——?|~)(?=[{letters}])"  # noqa: RUF001  # dashes are meant
        rf"|(?<=[{letters}0-9])[:<>=/](?=[{letters}])"
    )


def _url_expression(lower: str) -> Callable[[str], re.Match[str] | None]:
    """A matcher of URLs and host names, after Diego Perini's expression (gist 729294, MIT) as spaCy widens it."""
    octet = r"(?:1?\d{1,2}|2[0-4]\d|25[0-5])"
    private = (
        r"(?!(?:10|127)(?:\.\d{1,3}){3})(?!(?:169\.254|192\.168)(?:\.\d{1,3}){2})"
        r"(?!172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2})"
    )
    address = (
        rf"{private}(?:[1-9]\d?|1\d\d|2[01]\d|22[0-3])(?:\.{octet}){{2}}\.(?:[1-9]\d?|1\d\d|2[0-4]\d|25[0-4])"
    )
    letter = "[A-Za-z0-9\u00a1-\uffff]"
    label = rf"(?:{letter}[A-Za-z0-9\u00a1-\uffff_-]{{0,62}})?{letter}\."
    return re.compile(
        rf"(?:[\w+.-]{{2,}}://)?(?:\S+(?::\S*)?@)?(?:{address}|(?:{label})+[{lower}]{{2,63}})"
        r"(?::\d{2,5})?(?:[/?#]\S*)?$"
    ).match
