"""How plausible it is that somebody wrote what an encoding makes of some bytes.

What lives here: the log-likelihood of a reading. A reading is taken to be drawn from a language (its trigrams,
`character_statistics.py`) in an encoding that suits the language (`candidates.py`); readings of the same bytes
are then comparable, also where one has fewer characters, because each is a likelihood of those bytes. Only
characters at or beside a byte above 0x7F are counted: the rest reads the same in all candidates and serves to
guess the language. What does not live here: which readings there are (`decoding.py`).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.cleanser.encodings.candidates import commonness
from warehouse.cleanser.encodings.character_statistics import (
    BITS,
    CJK,
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

CLEAR_LETTERS = 6
"""So many letters of other scripts, and none of Latin script outside ASCII, are no Latin text."""

LEAST_RUN_LETTERS = 2
SHORT_RUN = -3.0
"""Nats for each word of another alphabet where they have fewer letters than this on average: no language is
written in one-letter words."""

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


def alone(text: str) -> Surroundings:
    """What a reading says by itself, where other readings of its bytes do not extend ASCII as it does."""
    latin = character_statistics().scripts[LATIN]
    n_letters = sum(1 for letter in text if letter.isascii() and letter.isalpha())
    return Surroundings(np.zeros(len(latin.languages), np.float32), n_letters, 1.0)


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
    """A reading as numbers, with two spaces before it.

    Attributes:
        codes: code points, those above 0xFFFF replaced.
        numbered: their symbols.
        is_high: whether a character lies at bytes above 0x7F.
        counts: whether a trigram is counted, by its third character, the two spaces left out.
        keys: the distinct trigrams that are counted.
        weights: how much each of them weighs.
        scripts: scripts whose languages it may be in.
        n_look_alikes: Latin letters taken for Cyrillic ones.
    """

    codes: NDArray[np.int64]
    numbered: NDArray[np.int64]
    is_high: NDArray[np.bool_]
    counts: NDArray[np.bool_]
    keys: Keys
    weights: Floats
    scripts: frozenset[str]
    n_look_alikes: int


def _symbols(text: str, known: CharacterStatistics, counts_ascii: bool = False) -> _Symbols:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
    codes = np.concatenate(([0x20, 0x20], np.where(codes < 0x10000, codes, 0xFFFD)))
    is_high = codes >= 0x80
    counts = is_high[2:] | is_high[1:-1] | is_high[:-2]
    if counts_ascii:
        counts[:] = True
    n_look_alikes = 0
    if np.any((codes > 0x3FF) & (codes < 0x500)):
        codes, n_look_alikes = _with_look_alikes(codes, known)
    numbered = known.symbol[codes].astype(np.int64)
    keys = (numbered[:-2] << 2 * BITS | numbered[1:-1] << BITS | numbered[2:])[counts]
    keys, times = np.unique(keys, return_counts=True)
    scripts = frozenset(_scripts_of(codes, numbered, known, counts_ascii) if len(keys) else ())
    weights = (times**BURSTINESS).astype(np.float32)
    return _Symbols(codes, numbered, is_high, counts, keys, weights, scripts, n_look_alikes)


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


@dataclass(frozen=True)
class TextEvidence:
    """How plausible a text is as such, before it is known in which encoding.

    Attributes:
        by_script: for each script that it may be in, nats by language.
        shared: nats of what no language differs in.
    """

    by_script: tuple[tuple[str, Floats], ...]
    shared: float

    def log_likelihood(self, encoding: str) -> float:
        """Log-likelihood of the bytes if they are this text in this encoding, in nats.

        Sums over languages; only differences between readings of one sample mean anything.
        """
        if not self.by_script:
            return self.shared + commonness(encoding)
        nats = np.concatenate([nats + suitabilities(encoding, script) for script, nats in self.by_script])
        best = float(nats.max())
        return best + float(np.log(np.exp(nats - best).sum())) + self.shared + commonness(encoding)


def evidence(texts: Sequence[str], around: Surroundings, *, counts_ascii: bool = False) -> list[TextEvidence]:
    """How plausible each of several readings of one sample is.

    Args:
        texts: the readings.
        around: what they have in common.
        counts_ascii: count every character, for encodings that do not extend ASCII.
    """
    known = character_statistics()
    read = [_symbols(text, known, counts_ascii) for text in texts]
    by_script: list[list[tuple[str, Floats]]] = [[] for _ in texts]
    for name, statistics in known.scripts.items():
        places = [place for place, symbols in enumerate(read) if name in symbols.scripts]
        if not places:
            continue
        all_keys = np.unique(np.concatenate([read[place].keys for place in places]))
        nats = statistics.log_probability(all_keys, known.kind)
        for place in places:
            symbols = read[place]
            base = symbols.weights @ nats[np.searchsorted(all_keys, symbols.keys)]
            by_script[place].append((name, base + _script_nats(statistics, symbols, known, around)))
    return [
        TextEvidence(
            tuple(scores),
            BROKEN_BYTE * text.count("\ufffd")
            + LOOK_ALIKE * symbols.n_look_alikes
            + _case_nats(symbols, known)
            + _space_nats(symbols, known),
        )
        for text, symbols, scores in zip(texts, read, by_script, strict=True)
    ]


def log_likelihood(text: str, encoding: str, around: Surroundings, *, counts_ascii: bool = False) -> float:
    """`TextEvidence.log_likelihood` of one reading."""
    return evidence([text], around, counts_ascii=counts_ascii)[0].log_likelihood(encoding)


def _scripts_of(
    codes: NDArray[np.int64], numbered: NDArray[np.int64], known: CharacterStatistics, counts_ascii: bool
) -> set[str]:
    """The scripts of the letters that lie at bytes above 0x7F; Latin unless others leave no doubt."""
    places = known.script[numbered[codes >= 0x80]]
    n_letters = np.bincount(places[places >= 0], minlength=len(known.script_names))
    names = {known.script_names[index] for index in np.flatnonzero(n_letters)}
    is_clear = bool(names - {LATIN}) and n_letters.sum() >= CLEAR_LETTERS and not counts_ascii
    return names if is_clear else names | {LATIN}


def _script_nats(
    statistics: ScriptStatistics, symbols: _Symbols, known: CharacterStatistics, around: Surroundings
) -> Floats:
    """Nats by language of everything but the sequence of symbols."""
    nats = _emission_nats(statistics, symbols, known)
    foreign = known.is_foreign_letter[symbols.codes]
    n_foreign = int(foreign.sum())
    if statistics.script == LATIN:
        expected = around.n_ascii_letters * around.sampled * statistics.foreign_rate
        missing = -np.minimum(expected, -FEW_LETTERS - FEW_LETTERS_EACH * n_foreign)
        rate = (n_foreign / around.sampled + 0.5) / (n_foreign / around.sampled + around.n_ascii_letters + 1)
        unknown = statistics.languages.index(UNDETERMINED)
        missing[unknown] = n_foreign * min(0.0, math.log(rate / float(statistics.foreign_rate[unknown])))
        return np.asarray(nats + missing + around.language)
    n_runs = int(np.count_nonzero(foreign[1:] & ~foreign[:-1]))
    share = (n_runs / around.sampled + 0.5) / (
        n_runs / around.sampled + around.n_ascii_letters / LETTERS_IN_WORD + 1
    )
    rarity = RUN_EXPONENT * n_runs * min(0.0, math.log(share / USUAL_RUNS))
    if statistics.script != CJK and n_foreign < LEAST_RUN_LETTERS * n_runs:
        rarity += SHORT_RUN * n_runs
    return np.asarray(nats + (rarity - math.log(len(statistics.languages))))


def _emission_nats(
    statistics: ScriptStatistics, symbols: _Symbols, known: CharacterStatistics
) -> NDArray[np.float64]:
    """Nats of the characters that share a symbol, by language."""
    nats = np.zeros(len(statistics.languages))
    places = np.flatnonzero(symbols.is_high & (symbols.numbered >= CONTROL) & (symbols.numbered <= HANGUL))
    if not len(places):
        return nats
    codes = symbols.codes[places]
    is_stranger = (symbols.numbered[places] == OTHER_LETTER) & (symbols.codes[places - 1] >> 7 != codes >> 7)
    nats += UNFAMILIAR_LETTER * np.count_nonzero(is_stranger) + float(known.emission[-1, codes].sum())
    for row, language in enumerate(known.emission_languages):
        if language in statistics.languages:
            column = statistics.languages.index(language)
            nats[column] += float((known.emission[row, codes] - known.emission[-1, codes]).sum())
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


def n_witnesses(text: str, sample: bytes) -> int:
    """By how many the log-likelihood of a reading is divided for an average: the characters that count, or the
    bytes above 0x7F where those are more, because a character of two bytes says as much as two."""
    known = character_statistics()
    n_high = np.count_nonzero(np.frombuffer(sample, np.uint8) >= 0x80)
    return max(1, int(n_high), int(np.count_nonzero(_symbols(text, known).counts)))
