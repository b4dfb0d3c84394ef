"""Evaluation items: what of a record is looked for, and how long it must be.

A record's strings are its texts. Ids, labels and links are none, nor is what another text of the record holds. A
string under a name such as ``answer``, or in a list, is an answer. What is searched for, each on its own, are an
item's passages:

- every text of `LONG_WORDS` words or more;
- where an item has none, its shorter texts, and each together with each answer; those that go with answers only where
  they prove something by themselves ("To wash your hands" does not);
- answers of `SENTENCE_WORDS` words or more.

A passage too short to prove anything (`are_searchable`) is not searched for; an item without any passage is counted as
such (``corpus.evaluation_item.is_searched``).

What lives here: records to passages. What does not: files (``evaluation_files.py``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.decontamination.words import Words, split_words

LONG_WORDS = 13
"""Words in a row that prove an overlap (GPT-3: Brown et al. 2020, arXiv:2005.14165, appendix C). Shorter passages are
looked for whole."""

SENTENCE_WORDS = 8
"""From here on a text says enough to be looked for beside longer ones."""

MIN_WORDS = 3
LETTERS_PER_WORD = 5
MIN_EVIDENCE = 28
"""Letters plus `LETTERS_PER_WORD` times words of the shortest passage that is looked for whole. Measured with 130,000
sentences of BLiMP, Zorro and the Gauntlet on 31,000 chunks of books, stories and documentation: from here on one of
them stood there by chance, of shorter ones more."""

PROVING_EVIDENCE = 44
"""The same of the words that must agree where only a part does, and of a question that goes with answers."""

MIN_FIELD_ITEMS = 20
MAX_COMMON_SHARE = 0.1
"""A field with `MIN_FIELD_ITEMS` values of which fewer than this share differ names kinds, not items."""

IGNORED_NAME = re.compile(
    r"(?:^|[_\W])(?:u?u?id|guid|ids|idx|index|urls?|uri|links?|href|labels?|gold|hash|sha\d*|md5|date|time|timestamp|"
    r"version|licen[cs]e|split|lang|language)$|[a-z](?-i:ID|Id|Idx|URL|Url)$",
    re.IGNORECASE,
)
ANSWER_NAME = re.compile(
    r"(^|[_\W])(answers?|choices?|options?|continuation|completion|endings?|targets?|responses?|distractors?)"
    r"[_\W]?\w?\d*$|^[A-H]$",
    re.IGNORECASE,
)
LINK = re.compile(r"\w+://\S+|www\.\S+")
PROMPT = re.compile(r"\s*(?:question|q|context|passage|text|sentence|problem)\s*[:.]\s*", re.IGNORECASE)
PROMPTED_ANSWER = re.compile(r"\s*(?:answer|a)\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Text:
    """A string of a record.

    Attributes:
        field: name of the field; of the last one where fields are nested.
        value: the string, without what a prompt wraps it in ("Question:", "Answer:").
        is_answer: whether it says little without the others.
    """

    field: str
    value: str
    is_answer: bool


@dataclass(frozen=True)
class Item:
    """An evaluation item.

    Attributes:
        ordinal: its place in its file, from 0.
        texts: its strings.
        passages: what is searched for.
    """

    ordinal: int
    texts: tuple[str, ...]
    passages: tuple[str, ...]


def unprompted(text: str) -> str:
    """A text without the words around it that only tell a model what to do; always a part of the text."""
    if prompt := PROMPT.match(text):
        text = text[prompt.end() :]
    end = text.rfind("\n")
    return text[:end] if end >= 0 and PROMPTED_ANSWER.fullmatch(text[end:]) else text


def record_texts(record: object, fields: Sequence[str] = ()) -> list[Text]:
    """The strings of a record, in its order.

    Args:
        record: a string, or what JSON can hold.
        fields: names of the fields that count; empty: all but ids, labels and links. A line of text has none and
            counts.
    """
    wanted = frozenset() if isinstance(record, str) else frozenset(fields)
    return list(_texts(record, "", listed=False, fields=wanted))


def _texts(value: object, name: str, *, listed: bool, fields: frozenset[str]) -> Iterator[Text]:
    """The strings of a value; where `fields` are named, those of the fields in it."""
    if isinstance(value, str):
        if not fields and value.strip() and not LINK.fullmatch(value.strip()):
            yield Text(name, unprompted(value), listed or ANSWER_NAME.search(name) is not None)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key in fields:
                yield from _texts(inner, key, listed=False, fields=frozenset())
            elif fields or not IGNORED_NAME.search(key):
                yield from _texts(inner, key, listed=False, fields=fields)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for inner in value:
            yield from _texts(inner, name, listed=True, fields=fields)


def read_items(records: Iterable[object], fields: Sequence[str] = ()) -> list[Item]:
    """The items of a set's records, one each, with what is searched for."""
    by_record = [record_texts(record, fields) for record in records]
    texts = [text for own in by_record for text in own]
    n_words = np.diff(split_words([text.value for text in texts]).offsets)
    kinds = set() if fields else _kind_fields(texts, n_words)
    items, place = [], 0
    for ordinal, own in enumerate(by_record):
        sized = list(zip(own, n_words[place : place + len(own)].tolist(), strict=True))
        said = _whole([(text, size) for text, size in sized if text.field not in kinds or size >= LONG_WORDS])
        items.append(Item(ordinal, tuple(text.value for text, _ in said), tuple(_passages(said))))
        place += len(own)
    return items


def _kind_fields(texts: Sequence[Text], n_words: NDArray[np.int64]) -> set[str]:
    """Names of the fields whose few short values stand in many items: they name kinds ("syntax")."""
    values: dict[str, Counter[str]] = {}
    for text, size in zip(texts, n_words.tolist(), strict=True):
        if text.field and not text.is_answer and size < LONG_WORDS:
            values.setdefault(text.field, Counter())[text.value] += 1
    return {
        field
        for field, counted in values.items()
        if counted.total() >= MIN_FIELD_ITEMS and len(counted) < MAX_COMMON_SHARE * counted.total()
    }


def _whole(sized: Sequence[tuple[Text, int]]) -> list[tuple[Text, int]]:
    """The texts that are no part of another one of the item, as the beginning of a sentence given by itself is."""
    folded = [text.value.casefold().strip() for text, _ in sized]
    return [
        own
        for place, own in enumerate(sized)
        if own[1] >= LONG_WORDS
        or not any(folded[place] in other for other in folded if len(other) > len(folded[place]))
    ]


def _passages(sized: Sequence[tuple[Text, int]]) -> Iterator[str]:
    """What is searched for of an item's texts, given with their numbers of words."""
    questions = [(text.value, size) for text, size in sized if not text.is_answer]
    answers = [(text.value, size) for text, size in sized if text.is_answer]
    if not questions and sized:
        # Beginnings to choose from, and how they go on: the first field is what is asked.
        first = sized[0][0].field
        questions = [(text.value, size) for text, size in sized if text.field == first]
        answers = [(text.value, size) for text, size in sized if text.field != first]
    has_long = any(size >= LONG_WORDS for _, size in questions)
    for value, size in questions:
        proves = not answers or len(value) + (LETTERS_PER_WORD - 1) * size >= PROVING_EVIDENCE
        if size >= SENTENCE_WORDS or (proves and not has_long):
            yield value
        if not has_long:
            yield from (f"{value} {answer}" for answer, _ in answers)
    yield from (answer for answer, size in answers if size >= SENTENCE_WORDS)


def are_searchable(words: Words) -> NDArray[np.bool_]:
    """(n_texts,) whether each text is long enough to prove something where it is found."""
    n_words = np.diff(words.offsets)
    n_letters = np.diff(np.concatenate([[0], np.cumsum(words.letters, dtype=np.int64)])[words.offsets])
    searchable: NDArray[np.bool_] = (n_words >= MIN_WORDS) & (
        n_letters + LETTERS_PER_WORD * n_words >= MIN_EVIDENCE
    )
    return searchable
