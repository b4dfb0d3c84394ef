"""How characters follow one another in 120 languages.

What lives here: counts of bigrams and trigrams of folded characters, read from `character_statistics.npz`
(`benchmarks/count_characters.py` makes it and names its sources), and the probabilities that follow from
them. What does not: what they mean for an encoding (`plausibility.py`).

A *symbol* is a letter without its case, a sign, or a class of characters that are not told apart (digits,
spaces, ideographs). Languages are grouped by script. Probabilities are interpolated from trigrams to bigrams to
single symbols, each level weighing as a fixed number of pseudo-counts (Dirichlet smoothing: MacKay & Peto 1995,
"A hierarchical Dirichlet language model").
"""

# ruff: noqa: RUF001  # typographic signs are the subject

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray

from warehouse.cleanser.encodings.candidates import FREQUENT_LANGUAGES, RARE_LANGUAGE, suitability

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

BITS = 11
"""Bits of one symbol in a bigram's or trigram's key."""

LOW_BITS = (1 << BITS) - 1
SPACE, DIGIT, PUNCTUATION, CONTROL, BOX, SIGN, OTHER_LETTER, IDEOGRAPH, HANGUL = range(9)
FIRST_LETTER = 9
"""Symbols 9 to 34 are the letters a to z."""

FIRST_FOREIGN = FIRST_LETTER + 26
"""First symbol that is neither a class nor an ASCII letter."""

ASCII_LETTER_KIND, LETTER_KIND, N_KINDS = 4, 5, 10

LATIN, CJK = "LATIN", "CJK"
UNDETERMINED = "und"
"""A language of Latin script of which nothing is known: the mean of those that are, frequent ones first."""

TRIGRAM_PSEUDO_COUNTS = 4.0
BIGRAM_PSEUDO_COUNTS = 5.0
SYMBOL_PSEUDO_COUNTS = 100.0

SIGN_RATES = {
    "’": 3e-3, "“": 1e-3, "”": 1e-3, "«": 1e-3, "»": 1e-3, "–": 1e-3, "—": 1e-3, "‘": 5e-4, "…": 5e-4,
    "„": 4e-4, "´": 3e-4, "°": 3e-4, "§": 3e-4, "•": 3e-4, "£": 2e-4, "€": 2e-4, "©": 2e-4, "®": 2e-4,
    "¡": 2e-4, "¿": 2e-4, "º": 2e-4, "·": 1e-4, "ª": 1e-4, "½": 1e-4, "№": 1e-4, "¼": 5e-5, "²": 5e-5,
    "³": 5e-5, "×": 5e-5, "±": 5e-5, "\u00ad": 5e-5, "™": 5e-5, "¨": 5e-5, "‹": 3e-5, "›": 3e-5,
    "‚": 3e-5, "¹": 3e-5, "µ": 3e-5,
}  # fmt: skip
"""Share of a sign among the characters of any text, by orders of magnitude: translations of programs, from
which the counts come, avoid them."""

OTHER_SIGN_RATE = 1e-5
CLASS_RATES = {CONTROL: 1e-8, BOX: 1e-6, SIGN: 1e-6, OTHER_LETTER: 3e-6, IDEOGRAPH: 1e-5, HANGUL: 1e-5}
OWN_LETTER_RATE = 3e-6
FOREIGN_LETTER_RATE = 3e-8
"""Shares that no language goes below: for letters of its own script, and of another one."""

IN_ANY_CONTEXT = 0.1
"""Share of the rates above that no context goes below, however often it was counted without the sign."""

BOX_AFTER_BOX = 0.5
LETTER_AFTER_LETTER = 0.7
"""Probability that a box character, or a letter of a script that is not counted, follows another one."""

LEAST_RATIO, LARGEST_RATIO, SCRIPT_CHANGE_RATIO = 0.02, 8.0, 0.003
"""By how much the kinds of two neighbours may change the probability of the second: bounds, and the value for
an ASCII letter beside a letter of another script."""

UNDETERMINED_WEIGHTS = {
    "en": 8, "es": 6, "fr": 6, "de": 5, "pt": 5, "it": 4, "nl": 2, "pl": 2, "id": 2, "sv": 1.5, "da": 1.5,
    "no": 1.5, "fi": 1.5, "tr": 1.5, "ro": 1, "cs": 1, "hu": 1,
}  # fmt: skip
RARE_WEIGHT = 0.01
"""Weights of the languages in the mean of all: rough numbers of texts, others have the rare weight."""


@dataclass(frozen=True)
class Counts:
    """Counts by key and language.

    Attributes:
        keys: ascending, distinct.
        rows: counts of each key by language, and a last row of zeros; shape (n_keys + 1, n_languages).
    """

    keys: Keys
    rows: NDArray[np.uint16]

    def of(self, keys: Keys) -> Floats:
        """Counts of some keys, zeros for what was not counted; shape (len(keys), n_languages)."""
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        place[self.keys[place] != keys] = len(self.keys)
        return self.rows[place].astype(np.float32)


@dataclass(frozen=True)
class ScriptStatistics:
    """Counts of the languages of one script.

    Attributes:
        script: Unicode's name of it, or "CJK".
        languages: names of the columns; the last one of Latin script is "und".
        bigrams, trigrams: counts by key.
        symbols: how often each symbol was counted; shape (n_symbols, n_languages).
        floor: smoothed probability of each symbol; same shape.
        least_rates: probability of each symbol that no context goes below; shape (n_symbols,).
        ratios: how much likelier one kind of symbol is after another than by chance; shape (10, 10).
        foreign_rate: share of letters that are not ASCII among all letters, by language.
        prior: how much each language is expected, in nats.
    """

    script: str
    languages: tuple[str, ...]
    bigrams: Counts
    trigrams: Counts
    symbols: Floats
    floor: Floats
    least_rates: Floats
    ratios: Floats
    foreign_rate: Floats
    prior: Floats

    def bigram_probability(self, keys: Keys, kinds: NDArray[np.uint8]) -> Floats:
        """P(second symbol | first), for each key and language."""
        first, second = (keys >> BITS) & LOW_BITS, keys & LOW_BITS
        ratio = self.ratios[kinds[first], kinds[second]][:, None]
        counts = self.bigrams.of(keys & ((1 << 2 * BITS) - 1))
        guess = BIGRAM_PSEUDO_COUNTS * ratio * self.floor[second]
        return np.asarray((counts + guess) / (self.symbols[first] + BIGRAM_PSEUDO_COUNTS))

    def log_probability(self, keys: Keys, kinds: NDArray[np.uint8]) -> Floats:
        """log P(third symbol | first two) in nats, for each trigram's key and language."""
        guess = TRIGRAM_PSEUDO_COUNTS * self.bigram_probability(keys, kinds)
        context = self.bigrams.of(keys >> BITS) + TRIGRAM_PSEUDO_COUNTS
        second, third = (keys >> BITS) & LOW_BITS, keys & LOW_BITS
        least = IN_ANY_CONTEXT * self.least_rates[third] * self.ratios[kinds[second], kinds[third]]
        probability = (self.trigrams.of(keys) + guess) / context + least[:, None]
        probability[(second == BOX) & (third == BOX)] = BOX_AFTER_BOX
        probability[(second == OTHER_LETTER) & (third == OTHER_LETTER)] = LETTER_AFTER_LETTER
        return np.asarray(np.log(probability))


@dataclass(frozen=True)
class CharacterStatistics:
    """Tables by code point below 0x10000, and the counts of each script.

    Attributes:
        symbol: symbol of each code point.
        case: 0 without case, 1 small, 2 capital.
        is_foreign_letter: whether it is a letter, ideograph or syllable outside ASCII.
        kind: coarse kind of each symbol.
        script: index of each symbol's script in `scripts`, -1 for none.
        emission: nats of a character given its symbol, a row for each of `emission_languages` and one for others.
        case_change: log-probability of a letter's case after those of the two characters before; shape (27,).
        look_alike: for Latin letters the Cyrillic letter that looks the same, else the code point itself.
        scripts: statistics by script.
        lost_shares: share of characters that an encoding lacks, by encoding, then script and language.
    """

    symbol: NDArray[np.uint16]
    case: NDArray[np.uint8]
    is_foreign_letter: NDArray[np.bool_]
    kind: NDArray[np.uint8]
    script: NDArray[np.int8]
    emission: Floats
    emission_languages: tuple[str, ...]
    case_change: Floats
    look_alike: NDArray[np.uint16]
    script_names: tuple[str, ...]
    scripts: dict[str, ScriptStatistics]
    lost_shares: dict[str, dict[str, Floats]]


@cache
def character_statistics() -> CharacterStatistics:
    """The statistics, read at first use: some 40 ms and 15 MB."""
    with as_file(files(__package__) / "character_statistics.npz") as path, np.load(path) as data:
        return _built(dict(data))


def _built(data: dict[str, NDArray[np.generic]]) -> CharacterStatistics:
    names = tuple(map(str, data["scripts"]))
    symbol, kind = data["symbol"].astype(np.uint16), data["kind"].astype(np.uint8)
    language_script = data["language_script"].astype(np.int64)
    own = data["script"].astype(np.int8)
    signs = dict(zip(map(chr, data["sign_code"].tolist()), data["sign"].tolist(), strict=True))
    scripts, lost = {}, {}
    for index, name in enumerate(names):
        columns = np.flatnonzero(language_script == index)
        scripts[name] = _script(data, name, columns, kind, _least_rates(signs, own == index))
        lost[name] = data["lost_share"].astype(np.float32)[:, columns]
    foreign = ((symbol >= FIRST_FOREIGN) & (kind[symbol] == LETTER_KIND)) | np.isin(
        symbol, (OTHER_LETTER, IDEOGRAPH, HANGUL)
    )
    foreign[:0x80] = False
    cases = data["cases"].astype(np.float64) + 5
    change = np.log(cases / cases[:, :, 1:].sum(2, keepdims=True))
    change[:, :, 0] = 0
    alike = np.arange(0x10000, dtype=np.uint16)
    alike[data["look_alike"][0].astype(np.int64)] = data["look_alike"][1]
    return CharacterStatistics(
        symbol,
        data["case"].astype(np.uint8),
        foreign,
        kind,
        own,
        (data["emission"].astype(np.float32) / -16).astype(np.float32),
        tuple(map(str, data["emission_languages"])),
        change.reshape(27).astype(np.float32),
        alike,
        names,
        scripts,
        {
            str(encoding): {name: shares[row] for name, shares in lost.items()}
            for row, encoding in enumerate(data["encodings"])
        },
    )


def _least_rates(signs: dict[str, int], is_own: NDArray[np.bool_]) -> Floats:
    rates = np.where(is_own, OWN_LETTER_RATE, FOREIGN_LETTER_RATE)
    rates[:FIRST_FOREIGN] = 0
    for number, rate in CLASS_RATES.items():
        rates[number] = rate
    for sign, number in signs.items():
        rates[number] = SIGN_RATES.get(sign, OTHER_SIGN_RATE)
    return rates.astype(np.float32)


def _part(
    data: dict[str, NDArray[np.generic]], name: str, keys: Keys, columns: NDArray[np.int64], n_more: int
) -> Counts:
    """The counts of some columns, with `n_more` columns of zeros after them."""
    column_of = np.full(256, -1)
    column_of[columns] = np.arange(len(columns))
    column = column_of[data[f"{name}_language"].astype(np.int64)]
    kept = column >= 0
    distinct, row = np.unique(keys[kept], return_inverse=True)
    rows = np.zeros((len(distinct) + 1, len(columns) + n_more), np.uint16)
    rows[row, column[kept]] = data[f"{name}_count"][kept]
    return Counts(distinct, rows)


def _script(
    data: dict[str, NDArray[np.generic]],
    name: str,
    columns: NDArray[np.int64],
    kind: NDArray[np.uint8],
    least_rates: Floats,
) -> ScriptStatistics:
    languages = [str(data["languages"][column]) for column in columns]
    translated = [bool(data["is_translated"][column]) for column in columns]
    n_more = int(name == LATIN)
    bigrams = _part(data, "bigram", data["bigram"].astype(np.int64), columns, n_more)
    trigram = data["trigram_first"].astype(np.int64) << 2 * BITS | data["trigram_rest"].astype(np.int64)
    trigrams = _part(data, "trigram", trigram, columns, n_more)
    pair = bigrams.keys
    symbols = np.zeros((len(kind), len(languages)))
    np.add.at(symbols, pair & LOW_BITS, bigrams.rows[:-1, : len(languages)])
    shares = symbols / symbols.sum(0)
    mean = shares.mean(1)
    if name == LATIN:
        weights = np.array([UNDETERMINED_WEIGHTS.get(language, RARE_WEIGHT) for language in languages])
        symbols = np.column_stack((symbols, shares @ weights / weights.sum()))
        languages, translated = [*languages, UNDETERMINED], [*translated, True]
    totals = symbols.sum(0)
    floor = (symbols + SYMBOL_PSEUDO_COUNTS * mean[:, None]) / (totals + SYMBOL_PSEUDO_COUNTS)
    if name == LATIN:
        floor[:, -1] = (symbols[:, -1] + mean) / 2
    foreign = symbols[FIRST_FOREIGN:][kind[FIRST_FOREIGN:] == LETTER_KIND].sum(0)
    ascii_letters = symbols[FIRST_LETTER:FIRST_FOREIGN].sum(0)
    prior = [
        FREQUENT_LANGUAGES.get(language, 0.0 if known else RARE_LANGUAGE)
        for language, known in zip(languages, translated, strict=True)
    ]
    return ScriptStatistics(
        name,
        tuple(languages),
        bigrams,
        trigrams,
        symbols.astype(np.float32),
        (floor + least_rates[:, None]).astype(np.float32),
        least_rates,
        _ratios(kind[pair >> BITS], kind[pair & LOW_BITS], bigrams.rows[:-1].sum(1), name),
        (foreign / np.maximum(foreign + ascii_letters, 1e-9)).astype(np.float32),
        np.array(prior, np.float32),
    )


def _ratios(
    first: NDArray[np.uint8], second: NDArray[np.uint8], counts: NDArray[np.uint64], script: str
) -> Floats:
    joint = np.zeros((N_KINDS, N_KINDS))
    np.add.at(joint, (first, second), counts)
    joint /= joint.sum()
    joint += 2e-5 * np.outer(joint.sum(1), joint.sum(0))
    joint /= joint.sum()
    chance = np.outer(joint.sum(1), joint.sum(0))
    ratios = np.clip(joint / np.maximum(chance, 1e-12), LEAST_RATIO, LARGEST_RATIO)
    if script != LATIN:
        ratios[ASCII_LETTER_KIND, LETTER_KIND] = ratios[LETTER_KIND, ASCII_LETTER_KIND] = SCRIPT_CHANGE_RATIO
    return np.asarray(ratios.astype(np.float32))


@cache
def suitabilities(encoding: str, script: str) -> Floats:
    """How much an encoding and a language of a script are expected together, in nats, by language."""
    statistics = character_statistics()
    known = statistics.scripts[script]
    lost = statistics.lost_shares.get(encoding, {}).get(script, np.zeros(0, np.float32))
    shares = np.pad(lost, (0, len(known.languages) - len(lost))).tolist()
    nats = [
        suitability(encoding, language, script, share)
        for language, share in zip(known.languages, shares, strict=True)
    ]
    return np.asarray(np.array(nats, np.float32) + known.prior)
