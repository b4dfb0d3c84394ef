"""Recipes: named, versioned choices of what is trained on, as TOML files that a typed value round-trips.

What lives here: the recipe's fields, their defaults, and reading them strictly. What does not: applying them,
which is the view ``corpus.training_chunk``.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from warehouse.cleanser.privacy import KINDS
from warehouse.errors import InputUnreadable, InvalidConfiguration
from warehouse.home import Home
from warehouse.licences import canonical_licence
from warehouse.perplexity.counts import max_order
from warehouse.quality_rules import QualityRules
from warehouse.recipe_values import Count, OneOf, Range, Ratio, Reader, Share, Spelled, nearest

DUPLICATE_LEVELS = ("near", "exact", "none")
KEEPER_CRITERIA = ("corpus", "quality", "perplexity", "length", "centre", "age")
PASSAGE_LEVELS = ("paragraph", "line")
CONTAMINATION_RULES = ("ngram_overlap", "near_duplicate")

Language = Annotated[str, Spelled("[a-z]{2,3}", "an ISO 639 code, as in en")]
Size = Annotated[str, Spelled("[1-9][0-9]*", "a number of copies, as in 5")]
TokenizerFile = Annotated[
    str,
    Spelled(r"|[A-Za-z0-9][A-Za-z0-9._-]*\.json", "the plain name of a .json file in the folder of recipes"),
]


@dataclass(frozen=True)
class CorpusChoice:
    """Which corpora count, and how often.

    Attributes:
        include: names of corpora; empty means all.
        weights: factor on a corpus's own weight; a corpus that is not named has 1, 0 excludes it.
    """

    include: tuple[str, ...] = ()
    weights: Mapping[str, Ratio] = field(default_factory=dict)


@dataclass(frozen=True)
class LicenceChoice:
    """Which licences may be trained on.

    Attributes:
        allowed: SPDX expressions; empty means every valid one.
    """

    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChunkingChoice:
    """How long a chunk of clean text may be; where both limits are given, both hold.

    Attributes:
        max_characters: largest chunk, in characters of clean text.
        max_tokens: largest chunk, in tokens of clean text; 0 sets no limit.
        tokenizer: by which tokens are counted: name of a Hugging Face ``tokenizer.json`` among the user's recipes.
    """

    max_characters: Annotated[int, Range(least=100)] = 2000
    max_tokens: Annotated[int, Range(least=64, or_zero=True)] = 0
    tokenizer: TokenizerFile = ""


@dataclass(frozen=True)
class LanguageRules:
    """Which languages are trained on, by that of the document.

    Attributes:
        allowed: ISO 639-1 codes; empty means all.
        min_score: probability that the language needs, whatever it is.
    """

    allowed: tuple[Language, ...] = ()
    min_score: Share = 0.0


@dataclass(frozen=True)
class DuplicateRules:
    """Which texts count as the same, and which of them stays.

    Attributes:
        level: ``near`` (verified Jaccard similarity), ``exact`` (the same text) or ``none``. Training text that
            resembles held-out text is dropped at each of them.
        threshold: Jaccard similarity of word 5-grams from which two chunks are near-duplicates.
        keeper: by what the chunk that stays is chosen among those that pass every other rule, first things first:
            ``corpus`` (heaviest), ``quality`` (fewest replaced, then fewest repaired characters), ``perplexity`` (most
            likely), ``length`` (longest), ``centre`` (most verified links), ``age`` (file seen first). What still ties
            is decided by the smallest chunk_id.
    """

    level: Annotated[str, OneOf(DUPLICATE_LEVELS)] = "near"
    threshold: Annotated[float, Range(above=0.5, most=1)] = 0.8
    keeper: tuple[Annotated[str, OneOf(KEEPER_CRITERIA)], ...] = ("corpus", "centre", "quality", "length")


@dataclass(frozen=True)
class PassageRules:
    """Paragraphs and lines that stand in many documents: footers, navigation, licence notices.

    Attributes:
        remove: ``paragraph``, ``line`` or both: these are left out where text becomes tokens.
        min_documents: documents that must hold a passage; at least 2.
        keep_first: whether one copy stays in each corpus.
        max_share: chunks of which more than this share of characters would be left out are dropped whole.
    """

    remove: tuple[Annotated[str, OneOf(PASSAGE_LEVELS)], ...] = PASSAGE_LEVELS
    min_documents: Annotated[int, Range(least=2)] = 10
    keep_first: bool = True
    max_share: Share = 0.5


@dataclass(frozen=True)
class RehydrationRules:
    """How often a text counts that was found several times (FineWeb-2: 1:1, 2:2, 3:3, 5:5, 100:8, 1000:1).

    Attributes:
        weights: factor on the weight of a cluster's keeper by the cluster's size: that of the largest key that the
            size reaches. Empty: every text counts once.
    """

    weights: Mapping[Size, Ratio] = field(default_factory=dict)


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

    within: Annotated[str, OneOf(("corpus", "language"))] = "corpus"
    head: Share = 0.30
    middle: Share = 0.60
    min_percentile: Share = 0.0
    max_percentile: Share = 0.98
    max_percentile_by_corpus: Mapping[str, Share] = field(default_factory=dict)
    max_percentile_by_language: Mapping[Language, Share] = field(default_factory=dict)
    reference: Annotated[str, OneOf(("ngram", "micromodel"))] = "ngram"
    order: Annotated[int, Range(least=1, most=7)] = 5
    vocab_size: Annotated[int, Range(least=300, most=65_536)] = 2048
    sample_bytes: Count = 12_000_000
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
    rules: tuple[Annotated[str, OneOf(CONTAMINATION_RULES)], ...] = CONTAMINATION_RULES
    min_score: Annotated[float, Range(least=0.5, most=1)] = 0.8
    held_out_share: Annotated[float, Range(least=0.2, most=1)] = 0.5


@dataclass(frozen=True)
class PrivacyChoice:
    """What is masked where text becomes tokens.

    The default masks what a form or a check digit proves. Phone numbers have neither everywhere, so they are a wish.

    Attributes:
        mask: kinds of private data, out of `warehouse.cleanser.privacy.KINDS` and in that order.
    """

    mask: tuple[Annotated[str, OneOf(KINDS)], ...] = ("email", "public_ip", "card", "iban")


@dataclass(frozen=True)
class TokenizerChoice:
    """The byte-level BPE tokenizer of the models.

    Attributes:
        vocab_size: tokens that it knows (1MX: 2,048).
        sample_bytes: UTF-8 bytes of training text that it is trained on.
    """

    vocab_size: Annotated[int, Range(least=300, most=65_536)] = 2048
    sample_bytes: Count = 16_000_000


@dataclass(frozen=True)
class Recipe:
    """A named, versioned choice of what is trained on.

    Attributes:
        name: that of its file.
        description: what it is for; it changes nothing that is kept.
        seed: decides every sample that the recipe draws.
    """

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


def _require_order(recipe: Recipe, named: tuple[tuple[str, float | None], ...]) -> None:
    """Of two bounds the smaller one must come first."""
    (low_key, low), (high_key, high) = named
    if low is not None and high is not None and low > high:
        raise InvalidConfiguration(
            f"Recipe {recipe.name}: {low_key} is {low:g} and {high_key} {high:g}, so nothing lies between them",
            f"Choose {low_key} <= {high_key}",
        )


def _require_possible(recipe: Recipe) -> None:
    """What the keys allow one by one may be impossible together."""
    quality, perplexity, chunking = recipe.quality, recipe.perplexity, recipe.chunking
    for rule in dataclasses.fields(quality):
        upper = rule.name.replace("min_", "max_", 1)
        if rule.name.startswith("min_") and hasattr(quality, upper):
            bounds = ((rule.name, getattr(quality, rule.name)), (upper, getattr(quality, upper)))
            _require_order(recipe, tuple((f"quality.{key}", value) for key, value in bounds))
    _require_order(recipe, (("perplexity.head", perplexity.head), ("perplexity.middle", perplexity.middle)))
    tops = {
        "max_percentile": perplexity.max_percentile,
        **{
            f"max_percentile_by_corpus.{key}": top for key, top in perplexity.max_percentile_by_corpus.items()
        },
        **{
            f"max_percentile_by_language.{key}": top
            for key, top in perplexity.max_percentile_by_language.items()
        },
    }
    for key, top in tops.items():
        lowest = ("perplexity.min_percentile", perplexity.min_percentile)
        _require_order(recipe, (lowest, (f"perplexity.{key}", top)))
    longest = max_order(perplexity.vocab_size)
    if perplexity.order > longest:
        raise InvalidConfiguration(
            f"Recipe {recipe.name}: perplexity.order is {perplexity.order} and must be at most {longest} with"
            f" perplexity.vocab_size {perplexity.vocab_size}",
            "Choose a lower order or a smaller vocabulary",
        )
    if bool(chunking.max_tokens) != bool(chunking.tokenizer):
        raise InvalidConfiguration(
            f"Recipe {recipe.name}: chunking needs both max_tokens and tokenizer, or neither",
            "Change the value in the recipe's file",
        )


def _canonical(recipe: Recipe) -> Recipe:
    """The same choices in one spelling, so that recipes that choose the same are the same."""
    return dataclasses.replace(
        recipe,
        licences=LicenceChoice(tuple(canonical_licence(licence) for licence in recipe.licences.allowed)),
        privacy=PrivacyChoice(tuple(kind for kind in KINDS if kind in recipe.privacy.mask)),
        passages=dataclasses.replace(
            recipe.passages,
            remove=tuple(level for level in PASSAGE_LEVELS if level in recipe.passages.remove),
        ),
    )


def parse_recipe(name: str, toml: str) -> Recipe:
    """Read a recipe from TOML text.

    Raises:
        InvalidConfiguration: for broken TOML, an unknown key (with the nearest valid one) or an impossible value
            (with those that are possible).
    """
    try:
        values = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfiguration(f"Recipe {name} is not valid TOML: {error}", "Mend the file") from error
    if "name" in values:
        raise InvalidConfiguration(
            f"Recipe {name} has a key 'name'", "Remove it: a recipe is named by its file"
        )
    reader = Reader(f"Recipe {name}", Recipe, "docs/recipes.md")
    recipe = _canonical(reader.section(Recipe, {"name": name, **values}))
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


def own_recipes(home: Home) -> dict[str, Path]:
    """The file of every recipe in the home's ``recipes/``, by name."""
    return {path.stem: path for path in sorted(home.recipes.glob("*.toml"))}


def read_recipe(path: Path) -> Recipe:
    """The recipe in a file, which names it.

    Raises:
        InputUnreadable: if there is no such file, or it is no text.
        InvalidConfiguration: as `parse_recipe`.
    """
    try:
        return parse_recipe(path.stem, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InputUnreadable(f"{path} is not UTF-8 text", "Save it as UTF-8") from error
    except OSError as error:
        raise InputUnreadable(f"{path} cannot be read: {error.strerror}", "Check the path") from error


def load_recipe(home: Home, name: str) -> Recipe:
    """The recipe of that name; the user's own goes before a shipped one.

    Raises:
        InvalidConfiguration: if there is none (with the nearest name), or it is not valid.
        InputUnreadable: if its file cannot be read.
    """
    own, shipped = own_recipes(home), shipped_recipes()
    if name in own:
        return read_recipe(own[name])
    if name in shipped:
        return parse_recipe(name, shipped[name])
    raise InvalidConfiguration(
        f"There is no recipe {name!r} in {home.recipes} or among the shipped ones",
        nearest(name, sorted({*own, *shipped}), "names"),
    )
