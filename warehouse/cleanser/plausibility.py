"""How plausible it is that somebody wrote what an encoding makes of some bytes.

What lives here: the log-likelihood of a reading. A reading is taken to be drawn from a language (its trigrams,
`character_statistics.py`) in an encoding that suits the language (`candidates.py`); readings of the same bytes
are then comparable, also where one has fewer characters, because each is a likelihood of those bytes. Only
characters at or beside a byte above 0x7F are counted: the rest reads the same in all candidates and serves to
guess the language. What does not live here: which readings there are (`decoding.py`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from warehouse.cleanser.candidates import commonness
from warehouse.cleanser.character_statistics import (
    BITS,
    CONTROL,
    FIRST_FOREIGN,
    FIRST_LETTER,
    HANGUL,
    LATIN,
    OTHER_LETTER,
    UNDETERMINED,
    CharacterStatistics,
    Floats,
    Keys,
    ScriptStatistics,
    character_statistics,
    suitabilities,
)

BURSTINESS = 0.75
"""Power of the number of times that a trigram occurs: a text repeats itself, so the tenth time says less than
the first (burstiness, Church & Gale 1995)."""

LANGUAGE_TEMPER = 0.5
LANGUAGE_FLOOR = -8.0
"""Weight of the ASCII text in the guess of the language, and the least that a language may be expected: markup
and names are in another language than the text around them."""

BROKEN_BYTE = -14.0
NO_BREAK_SPACE = -4.0
NO_BREAK_SPACE_IN_WORD = -7.0
UNFAMILIAR_LETTER = -10.0
LOOK_ALIKE = -1.5
"""Nats of a byte without meaning, of a no-break space where a space may stand and where not, of a letter of a
script that is not counted and not the neighbour's, and of a Latin letter for the Cyrillic one that looks alike."""

FEW_LETTERS = -8.0
FEW_LETTERS_EACH = -1.5
"""Nats that it costs at most, at all and for each letter outside ASCII, that there are fewer of them than the
language has."""

USUAL_RUNS = 0.2
RUN_EXPONENT = 1.7
LETTERS_IN_WORD = 5
"""Words of another script among ASCII words: fewer than this share of them are the less expected the fewer there
are; a word is about so many letters."""


@dataclass(frozen=True)
class Surroundings:
    """What all readings of a sample have in common.

    Attributes:
        language: how much the ASCII text speaks for each language of Latin script, in nats, 0 or less.
        n_ascii_letters: in the whole stream.
        sampled: share of the stream's bytes above 0x7F that the sample has, above 0.
    """

    language: Floats
    n_ascii_letters: int
    sampled: float


def surroundings(sample: bytes, counts: NDArray[np.int64]) -> Surroundings:
    """What a sample's ASCII text says.

    Args:
        sample: some bytes.
        counts: how often each byte value occurs in the stream that it is from; shape (256,).
    """
    letters = int(counts[0x41:0x5B].sum() + counts[0x61:0x7B].sum())
    n_high = int(np.count_nonzero(np.frombuffer(sample, np.uint8) >= 0x80))
    return Surroundings(
        _latin_languages(sample), letters, min(1.0, max(1, n_high) / max(1, int(counts[0x80:].sum())))
    )


def _latin_languages(sample: bytes) -> Floats:
    known = character_statistics()
    latin = known.scripts[LATIN]
    codes = np.frombuffer(sample, np.uint8)
    numbered = known.symbol[codes].astype(np.int64)
    is_word = (numbered >= FIRST_LETTER) & (numbered < FIRST_FOREIGN) & (codes < 0x80)
    plain = (codes[:-1] < 0x80) & (codes[1:] < 0x80) & (is_word[:-1] | is_word[1:])
    keys, times = np.unique((numbered[:-1] << BITS | numbered[1:])[plain], return_counts=True)
    nats = np.zeros(len(latin.languages))
    if len(keys):
        probability = latin.bigram_probability(keys, known.kind)
        nats = LANGUAGE_TEMPER * (times @ np.log(probability))
    nats -= nats.max()
    nats -= np.log(np.exp(nats).sum())
    return np.asarray(np.maximum(nats, LANGUAGE_FLOOR).astype(np.float32))


@dataclass(frozen=True)
class _Symbols:
    """A reading as numbers, with two spaces before it: code points, symbols, trigram keys, what counts."""

    codes: NDArray[np.int64]
    numbered: NDArray[np.int64]
    is_high: NDArray[np.bool_]
    keys: Keys
    counts: NDArray[np.bool_]
    n_look_alikes: int


def _symbols(text: str, known: CharacterStatistics) -> _Symbols:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
    codes = np.concatenate(([0x20, 0x20], np.where(codes < 0x10000, codes, 0xFFFD)))
    is_high = codes >= 0x80
    n_look_alikes = 0
    if np.any((codes > 0x3FF) & (codes < 0x500)):
        codes, n_look_alikes = _with_look_alikes(codes, known)
    numbered = known.symbol[codes].astype(np.int64)
    keys = numbered[:-2] << 2 * BITS | numbered[1:-1] << BITS | numbered[2:]
    return _Symbols(codes, numbered, is_high, keys, is_high[2:] | is_high[1:-1] | is_high[:-2], n_look_alikes)


def _with_look_alikes(codes: NDArray[np.int64], known: CharacterStatistics) -> tuple[NDArray[np.int64], int]:
    """Latin letters inside Cyrillic words as the Cyrillic letters that look alike, and how many there were."""
    small = np.where(known.case[codes] == 2, codes + 0x20 * (codes < 0x5B), codes)
    alike = known.look_alike[small].astype(np.int64)
    changeable = (alike != small) & (codes < 0x80)
    changed = np.zeros(len(codes), bool)
    for _ in range(LETTERS_IN_WORD):
        cyrillic = ((codes > 0x3FF) & (codes < 0x500)) | changed
        beside = np.zeros(len(codes), bool)
        beside[1:] |= cyrillic[:-1]
        beside[:-1] |= cyrillic[1:]
        found = changeable & beside & ~changed
        if not found.any():
            break
        changed |= found
    # Half of the Cyrillic letters must be real, or Latin text with a stray letter becomes Cyrillic.
    n_changed = int(changed.sum())
    if n_changed > int(((codes > 0x3FF) & (codes < 0x500)).sum()):
        return codes, 0
    capital = changed & (known.case[codes] == 2)
    replaced = np.where(changed, alike, codes)
    replaced[capital] -= np.where(replaced[capital] < 0x450, 0x20, 0x50)
    return replaced, n_changed


def log_likelihood(text: str, encoding: str, around: Surroundings, *, counts_ascii: bool = False) -> float:
    """Log-likelihood of a sample's bytes if they are this text in this encoding, in nats.

    Sums over languages; only differences between readings of one sample mean anything.

    Args:
        text: the reading.
        encoding: Python's name of the codec that yields it.
        around: what the readings have in common.
        counts_ascii: count every character, for encodings that do not extend ASCII.
    """
    known = character_statistics()
    symbols = _symbols(text, known)
    if counts_ascii:
        symbols = replace(symbols, counts=np.ones(len(symbols.keys), bool))
    n_broken = text.count("\ufffd")
    shared = commonness(encoding) + BROKEN_BYTE * n_broken + LOOK_ALIKE * symbols.n_look_alikes
    if not symbols.counts.any():
        return shared
    keys, times = np.unique(symbols.keys[symbols.counts], return_counts=True)
    weights = (times**BURSTINESS).astype(np.float32)
    scores = [
        _script_score(statistics, keys, weights, symbols, known, around)
        + suitabilities(encoding, statistics.script)
        for statistics in _scripts_of(symbols, known)
    ]
    nats = np.concatenate(scores).astype(np.float64)
    best = nats.max()
    total = float(best + np.log(np.exp(nats - best).sum()))
    return total + shared + _case_nats(symbols, known) + _space_nats(symbols, known)


def _scripts_of(symbols: _Symbols, known: CharacterStatistics) -> list[ScriptStatistics]:
    present = set(known.script[symbols.numbered[symbols.is_high]].tolist()) - {-1}
    names = {LATIN, *(known.script_names[index] for index in present)}
    return [known.scripts[name] for name in sorted(names)]


def _script_score(
    statistics: ScriptStatistics,
    keys: Keys,
    weights: Floats,
    symbols: _Symbols,
    known: CharacterStatistics,
    around: Surroundings,
) -> Floats:
    nats = weights @ statistics.log_probability(keys, known.kind)
    nats = nats + _emission_nats(statistics, symbols, known)
    foreign = known.is_foreign_letter[symbols.codes]
    n_foreign = int(foreign.sum())
    if statistics.script == LATIN:
        expected = around.n_ascii_letters * around.sampled * statistics.foreign_rate
        missing = -np.minimum(expected, -FEW_LETTERS - FEW_LETTERS_EACH * n_foreign)
        rate = (n_foreign / around.sampled + 0.5) / (n_foreign / around.sampled + around.n_ascii_letters + 1)
        unknown = statistics.languages.index(UNDETERMINED)
        missing[unknown] = n_foreign * min(0.0, float(np.log(rate / statistics.foreign_rate[unknown])))
        return np.asarray(nats + missing + around.language)
    n_runs = np.count_nonzero(foreign[1:] & ~foreign[:-1])
    share = (n_runs / around.sampled + 0.5) / (
        n_runs / around.sampled + around.n_ascii_letters / LETTERS_IN_WORD + 1
    )
    rarity = RUN_EXPONENT * n_runs * min(0.0, float(np.log(share / USUAL_RUNS)))
    return np.asarray(nats + rarity - np.log(len(statistics.languages)))


def _emission_nats(
    statistics: ScriptStatistics, symbols: _Symbols, known: CharacterStatistics
) -> NDArray[np.float64]:
    """Nats of the characters that share a symbol, by language."""
    codes, numbered = symbols.codes[symbols.is_high], symbols.numbered[symbols.is_high]
    before = symbols.codes[np.flatnonzero(symbols.is_high) - 1]
    strangers = np.count_nonzero((numbered == OTHER_LETTER) & (before >> 7 != codes >> 7))
    common = numbered[(numbered >= CONTROL) & (numbered <= HANGUL)].size
    nats = np.full(len(statistics.languages), UNFAMILIAR_LETTER * strangers)
    if not common:
        return nats
    some = codes[(numbered >= CONTROL) & (numbered <= HANGUL)]
    for column, language in enumerate(statistics.languages):
        if language in known.emission_languages:
            nats[column] += known.emission[known.emission_languages.index(language), some].sum()
        elif column == 0 or statistics.script == "CJK":
            nats[column] += known.emission[-1, some].sum()
        else:
            nats[column] = nats[0]
    return nats


def _case_nats(symbols: _Symbols, known: CharacterStatistics) -> float:
    case = known.case[symbols.codes].astype(np.int64)
    keys = (9 * case[:-2] + 3 * case[1:-1] + case[2:])[symbols.counts]
    return float(np.bincount(keys, minlength=27) @ known.case_change)


def _space_nats(symbols: _Symbols, known: CharacterStatistics) -> float:
    places = np.flatnonzero(symbols.codes == 0xA0)
    if not len(places):
        return 0.0
    letter = (symbols.numbered >= FIRST_LETTER) & (known.kind[symbols.numbered] < 6)
    after = np.append(letter, False)[places + 1]
    n_inside = int(np.count_nonzero(letter[places - 1] & after))
    return NO_BREAK_SPACE * (len(places) - n_inside) + NO_BREAK_SPACE_IN_WORD * n_inside


_ODD = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd\ud800-\udfff]")


def n_strange(text: str) -> int:
    """How many characters of a text are controls, unassigned or of private use."""
    if text.isascii():
        return len(_ODD.findall(text))
    return sum(
        1
        for character in text
        if character == "\ufffd"
        or (unicodedata.category(character) in {"Cc", "Cn", "Co", "Cs"} and character not in "\t\n\v\f\r\x85")
    )


def is_strange(text: str) -> bool:
    """Whether more than one character in 200 is a control, unassigned or of private use."""
    return n_strange(text) * 200 > len(text)


def is_gibberish(text: str) -> bool:
    """Whether more than one character in ten is a control, unassigned or of private use."""
    return n_strange(text) * 10 > len(text)


def n_counted(text: str) -> int:
    """How many characters of a reading of bytes that extend ASCII its likelihood counts."""
    known = character_statistics()
    return int(np.count_nonzero(_symbols(text, known).counts))
