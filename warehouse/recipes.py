"""Recipes: named, versioned choices of what is trained on, as TOML files that a typed value round-trips.

What lives here: the recipe's fields, their defaults, and reading them strictly. What does not: applying them,
which is the view ``corpus.training_chunk``.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_type_hints

from warehouse.cleanser.privacy import KINDS
from warehouse.errors import InvalidConfiguration
from warehouse.home import Home
from warehouse.licences import canonical_licence
from warehouse.quality_rules import QualityRules

Section = TypeVar("Section")

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.json")


@dataclass(frozen=True)
class CorpusChoice:
    """Which corpora count, and how often.

    Attributes:
        include: names of corpora; empty means all.
        weights: factor on a corpus's own weight; a corpus that is not named has 1, 0 excludes it.
    """

    include: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class LicenceChoice:
    """Which licences may be trained on: SPDX expressions; empty means every valid one."""

    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChunkingChoice:
    """How long a chunk of clean text may be; where both limits are given, both hold.

    Attributes:
        max_characters: characters.
        max_tokens: tokens; 0 sets no limit.
        tokenizer: by which they are counted: name of a Hugging Face ``tokenizer.json`` among the user's recipes.
    """

    max_characters: int = 2000
    max_tokens: int = 0
    tokenizer: str = ""


@dataclass(frozen=True)
class LanguageRules:
    """Languages (ISO 639-1) to keep, empty for all, and the smallest score that a verdict needs to count."""

    allowed: tuple[str, ...] = ()
    min_score: float = 0.0


@dataclass(frozen=True)
class DuplicateRules:
    """Which texts count as the same, and which of them stays.

    Attributes:
        level: ``near`` (verified Jaccard similarity), ``exact`` (the same text) or ``none``.
        threshold: Jaccard similarity of word 5-grams from which two chunks are near-duplicates.
        keeper: by what the chunk that stays is chosen among those that pass every other rule, first things first:
            ``corpus`` (heaviest), ``quality`` (fewest replaced, then fewest repaired characters), ``perplexity`` (most
            likely), ``length`` (longest), ``centre`` (most verified links), ``age`` (file seen first). What still ties
            is decided by the smallest chunk_id.
    """

    level: str = "near"
    threshold: float = 0.8
    keeper: tuple[str, ...] = ("corpus", "quality", "length")


@dataclass(frozen=True)
class PassageRules:
    """Paragraphs and lines that stand in many documents: footers, navigation, licence notices.

    Attributes:
        remove: ``paragraph``, ``line`` or both: these are left out where text becomes tokens.
        min_documents: documents that must hold a passage; at least 2.
        keep_first: whether one copy stays.
        max_share: chunks of which more than this share of characters would be left out are dropped whole.
    """

    remove: tuple[str, ...] = ("paragraph", "line")
    min_documents: int = 10
    keep_first: bool = True
    max_share: float = 0.5


@dataclass(frozen=True)
class RehydrationRules:
    """How often a text counts that was found several times (FineWeb-2: 1:1, 2:2, 3:3, 5:5, 100:8, 1000:1).

    Attributes:
        weights: factor on the weight of a cluster's keeper by the cluster's size: that of the largest key that the
            size reaches. Empty: every text counts once.
    """

    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PerplexityRules:
    """Percentiles of bits per byte (CCNet: head below 0.30, middle below 0.60).

    Attributes:
        within: ``corpus`` or ``language``: the chunks among which a percentile is told.
        head: chunks below this percentile are bucket ``head``.
        middle: chunks below this one are ``middle``, the rest ``tail``.
        min_percentile: chunks below it are dropped; 0 drops none.
        max_percentile: chunks above it are dropped.
        max_percentile_by_corpus: in its place for the corpora that are named; goes before the language.
        max_percentile_by_language: in its place for the languages that are named.
        reference: ``ngram``, or ``micromodel`` for a population of trained micromodels.
        order: of the reference n-gram model.
        vocab_size: of the reference's tokenizer.
        sample_bytes: UTF-8 bytes of clean text that the reference is trained on.
        sample_corpora: corpora that the sample is drawn from; empty means all that the recipe includes.
    """

    within: str = "corpus"
    head: float = 0.30
    middle: float = 0.60
    min_percentile: float = 0.0
    max_percentile: float = 0.98
    max_percentile_by_corpus: Mapping[str, float] = field(default_factory=dict)
    max_percentile_by_language: Mapping[str, float] = field(default_factory=dict)
    reference: str = "ngram"
    order: int = 5
    vocab_size: int = 2048
    sample_bytes: int = 12_000_000
    sample_corpora: tuple[str, ...] = ()


@dataclass(frozen=True)
class DecontaminationRules:
    """Chunks that hold an evaluation item are dropped.

    Attributes:
        evaluation_sets: registered sets that count; empty means all.
        rules: ``ngram_overlap`` (13 words in a row) and ``near_duplicate`` (a passage that resembles the item).
        min_score: least likeness of a near-duplicate passage, at least 0.5.
        held_out_share: training chunks that hold more than this share of a held-out chunk's word 13-grams are
            dropped; 1 drops none.
    """

    evaluation_sets: tuple[str, ...] = ()
    rules: tuple[str, ...] = ("ngram_overlap", "near_duplicate")
    min_score: float = 0.8
    held_out_share: float = 0.5


@dataclass(frozen=True)
class PrivacyChoice:
    """Which kinds of private data are masked in tokens, out of `warehouse.cleanser.privacy.KINDS`, in that order.

    The default masks what a form or a check digit proves. Phone numbers have neither everywhere, so they are a wish.
    """

    mask: tuple[str, ...] = ("email", "public_ip", "card", "iban")


@dataclass(frozen=True)
class TokenizerChoice:
    """Vocabulary of the BPE tokenizer (1MX: 2,048) and the UTF-8 bytes of training text it is trained on."""

    vocab_size: int = 2048
    sample_bytes: int = 16_000_000


@dataclass(frozen=True)
class Recipe:
    """One recipe. `seed` decides every sample that the recipe draws."""

    name: str
    description: str = ""
    seed: int = 0
    corpora: CorpusChoice = field(default_factory=CorpusChoice)
    licences: LicenceChoice = field(default_factory=LicenceChoice)
    chunking: ChunkingChoice = field(default_factory=ChunkingChoice)
    quality: QualityRules = field(default_factory=QualityRules)
    language: LanguageRules = field(default_factory=LanguageRules)
    duplicates: DuplicateRules = field(default_factory=DuplicateRules)
    passages: PassageRules = field(default_factory=PassageRules)
    rehydration: RehydrationRules = field(default_factory=RehydrationRules)
    perplexity: PerplexityRules = field(default_factory=PerplexityRules)
    decontamination: DecontaminationRules = field(default_factory=DecontaminationRules)
    privacy: PrivacyChoice = field(default_factory=PrivacyChoice)
    tokenizer: TokenizerChoice = field(default_factory=TokenizerChoice)

    def to_json(self) -> str:
        """Canonical JSON: equal recipes give equal bytes."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"))

    @property
    def sha256(self) -> bytes:
        """Hash of everything but the description, which changes nothing that is kept."""
        return sha256(dataclasses.replace(self, description="").to_json().encode()).digest()


def _value(expected: Any, value: object, where: str) -> object:
    if isinstance(expected, UnionType):
        expected = next(kind for kind in get_args(expected) if kind is not NoneType)
    if dataclasses.is_dataclass(expected) and isinstance(expected, type):
        return _section(expected, value, where)
    if expected == tuple[str, ...]:
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return tuple(value)
    elif expected == Mapping[str, float]:
        if isinstance(value, dict) and all(
            isinstance(item, int | float) and item >= 0 for item in value.values()
        ):
            return {str(key): float(item) for key, item in value.items()}
    elif expected is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif (
        isinstance(expected, type)
        and isinstance(value, expected)
        and (expected is bool or not isinstance(value, bool))
    ):
        return value
    raise InvalidConfiguration(f"{where} cannot be {value!r}", "Compare it with docs/recipes.md")


def _section(section: type[Section], values: object, where: str) -> Section:
    if not isinstance(values, dict):
        raise InvalidConfiguration(f"{where} must be a table", "Compare it with docs/recipes.md")
    hints = get_type_hints(section)
    for key in values:
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=1)
            remedy = f"Did you mean {near[0]}?" if near else f"Valid keys are {', '.join(sorted(hints))}"
            raise InvalidConfiguration(f"{where} has an unknown key {key!r}", remedy)
    return section(**{key: _value(hints[key], value, f"{where}.{key}") for key, value in values.items()})


def _ordered_kinds(recipe: Recipe) -> PrivacyChoice:
    """The kinds to mask, each once, so that recipes that mask the same are the same."""
    for kind in recipe.privacy.mask:
        if kind not in KINDS:
            near = difflib.get_close_matches(kind, KINDS, n=1)
            remedy = f"Did you mean {near[0]}?" if near else f"Valid kinds are {', '.join(KINDS)}"
            raise InvalidConfiguration(
                f"Recipe {recipe.name}.privacy.mask has an unknown kind {kind!r}", remedy
            )
    return PrivacyChoice(tuple(kind for kind in KINDS if kind in recipe.privacy.mask))


def _require_possible(recipe: Recipe) -> None:
    perplexity, chunking = recipe.perplexity, recipe.chunking
    possible = {
        "duplicates.threshold must be above 0.5 and at most 1": 0.5 < recipe.duplicates.threshold <= 1,
        "perplexity needs 0 <= head <= middle <= max_percentile <= 1": (
            0 <= perplexity.head <= perplexity.middle <= perplexity.max_percentile <= 1
        ),
        "perplexity.order must be 1 to 5": 1 <= perplexity.order <= 5,
        "chunking.max_characters must be at least 100": chunking.max_characters >= 100,
        "chunking.max_tokens must be 0 or at least 64": chunking.max_tokens == 0 or chunking.max_tokens >= 64,
        "chunking needs both max_tokens and tokenizer, or neither": (
            bool(chunking.max_tokens) == bool(chunking.tokenizer)
        ),
        "chunking.tokenizer must be the plain name of a .json file in the folder of recipes": (
            not chunking.tokenizer or _FILE_NAME.fullmatch(chunking.tokenizer) is not None
        ),
        "vocab_size must be 300 to 2048 for the perplexity reference": 300 <= perplexity.vocab_size <= 2048,
        "tokenizer.vocab_size must be 300 to 65536": 300 <= recipe.tokenizer.vocab_size <= 65536,
    }
    for rule, holds in possible.items():
        if not holds:
            raise InvalidConfiguration(
                f"Recipe {recipe.name}: {rule}", "Change the value in the recipe's file"
            )


def parse_recipe(name: str, toml: str) -> Recipe:
    """Read a recipe from TOML text.

    Raises:
        InvalidConfiguration: for broken TOML, an unknown key (with the nearest valid one) or an impossible value.
    """
    try:
        values = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfiguration(f"Recipe {name} is not valid TOML: {error}", "Mend the file") from error
    if "name" in values:
        raise InvalidConfiguration(
            f"Recipe {name} has a key 'name'", "Remove it: a recipe is named by its file"
        )
    recipe = _section(Recipe, {"name": name, **values}, f"Recipe {name}")
    allowed = tuple(canonical_licence(licence) for licence in recipe.licences.allowed)
    recipe = dataclasses.replace(recipe, licences=LicenceChoice(allowed), privacy=_ordered_kinds(recipe))
    _require_possible(recipe)
    return recipe


def shipped_recipes() -> dict[str, str]:
    """TOML text of every recipe that comes with the package, by name."""
    folder = files("warehouse") / "recipes"
    return {
        entry.name.removesuffix(".toml"): entry.read_text()
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    }


def own_recipes(home: Home) -> dict[str, str]:
    """TOML text of every recipe in the home's ``recipes/``, by name."""
    return {path.stem: path.read_text() for path in sorted(home.recipes.glob("*.toml"))}


def load_recipe(home: Home, name: str) -> Recipe:
    """The recipe of that name; the user's own goes before a shipped one.

    Raises:
        InvalidConfiguration: if there is none (with the nearest name), or it is not valid.
    """
    available = {**shipped_recipes(), **own_recipes(home)}
    if name not in available:
        near = difflib.get_close_matches(name, available, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(sorted(available))}"
        raise InvalidConfiguration(
            f"There is no recipe {name!r} in {home.recipes} or among the shipped ones", hint
        )
    return parse_recipe(name, available[name])
