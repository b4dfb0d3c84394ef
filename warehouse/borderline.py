"""Chunks that a bound of a recipe just keeps or just drops, with excerpts, so that a person can judge the bound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from warehouse.cleanser.privacy import KINDS, find_private, mask
from warehouse.database import Connection, query, run_script
from warehouse.home import Home
from warehouse.textstore import read_rows, text_file

EXCERPT_CHARACTERS = 100

OWN_REASONS = {
    "min_words": "too_few_words",
    "max_words": "too_many_words",
    "min_non_symbol_words": "too_few_words",
    "max_non_symbol_words": "too_many_words",
    "min_characters": "too_few_characters",
    "max_replaced_share": "replaced_characters",
}
"""Bounds whose reason is not the name of their signal."""

OWN_VALUES = {
    "max_replaced_share": "n_replaced / greatest(n_characters, 1)",
    "min_characters": "n_characters",
}
"""Bounds whose value is no signal of its own."""


@dataclass(frozen=True)
class Bound:
    """A number in a recipe that chunks are held against.

    Attributes:
        key: where it stands.
        bound: the number.
        drops_above: whether larger values are dropped, not smaller ones.
        reason: that it gives.
        values: name of the query that gives each chunk's value.
        parameters: what that query asks for; `signal` is an expression in its text.
    """

    key: str
    bound: float
    drops_above: bool
    reason: str
    values: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Example:
    """A chunk near a bound.

    Attributes:
        key: the bound's key in the recipe.
        bound: the bound.
        kept: on which side of it the chunk lies.
        value: the chunk's value.
        chunk_id: the chunk.
        corpus: its corpus.
        path: its file.
        excerpt: the beginning of its text, with private data masked, on one line that can be printed.
    """

    key: str
    bound: float
    kept: bool
    value: float
    chunk_id: UUID
    corpus: str
    path: str
    excerpt: str


@lru_cache
def _signal_names() -> frozenset[str]:
    from warehouse.cleanser.signals import SIGNALS

    return frozenset(signal.name for signal in SIGNALS)


def signal_of(rule: str) -> str:
    """The signal that a rule on quality bounds: by its name, with the n of a count."""
    name = rule.split("_", 1)[1]
    return next(
        candidate
        for candidate in (name, f"n_{name}", name.replace("c4_", "c4_n_"), f"c4_has_{name}")
        if candidate in _signal_names()
    )


def _quality_bounds(rules: Mapping[str, Any]) -> Iterator[Bound]:
    for rule, bound in rules.items():
        if bound is None or rule.startswith("drop_"):
            continue
        signal = OWN_VALUES.get(rule) or signal_of(rule)
        reason = OWN_REASONS.get(rule, signal)
        yield Bound(
            f"quality.{rule}", bound, rule.startswith("max_"), reason, "values_of_signal", {"signal": signal}
        )


def _percentile_bounds(rules: Mapping[str, Any]) -> Iterator[Bound]:
    by_corpus, by_language = rules["max_percentile_by_corpus"], rules["max_percentile_by_language"]
    everywhere = {
        "within": rules["within"],
        "corpus": None,
        "language": None,
        "bounded_corpora": list(by_corpus),
        "bounded_languages": list(by_language),
    }
    query_name = "values_of_percentile"
    key = "perplexity.max_percentile"
    yield Bound(key, rules["max_percentile"], True, "perplexity", query_name, everywhere)
    for corpus, bound in by_corpus.items():
        only = {**everywhere, "corpus": corpus}
        yield Bound(f"{key}_by_corpus", bound, True, "perplexity", query_name, only)
    for language, bound in by_language.items():
        only = {**everywhere, "language": language}
        yield Bound(f"{key}_by_language", bound, True, "perplexity", query_name, only)
    anywhere = {**everywhere, "bounded_corpora": [], "bounded_languages": []}
    lowest = rules["min_percentile"]
    if lowest > 0:
        yield Bound("perplexity.min_percentile", lowest, False, "perplexity", query_name, anywhere)


def bounds(definition: Mapping[str, Any]) -> Iterator[Bound]:
    """Every bound of a recipe that chunks have a value for."""
    yield from _quality_bounds(definition["quality"])
    score = definition["language"]["min_score"]
    yield Bound("language.min_score", score, False, "language", "values_of_language_score", {})
    passages = definition["passages"]
    if passages["remove"]:
        left_out = {
            "removed_levels": list(passages["remove"]),
            "min_documents": passages["min_documents"],
            "keep_first": passages["keep_first"],
        }
        share = passages["max_share"]
        yield Bound("passages", share, True, "repeated_passages", "values_of_left_out_share", left_out)
    yield from _percentile_bounds(definition["perplexity"])
    rules = definition["decontamination"]
    for key, reason, held_out in (
        ("min_score", "evaluation_near_duplicate", False),
        ("held_out_share", "held_out_overlap", True),
    ):
        asked = {"held_out": held_out}
        yield Bound(f"decontamination.{key}", rules[key], True, reason, "values_of_contamination", asked)
    duplicates = definition["duplicates"]
    if duplicates["level"] == "near":
        yield Bound(
            "duplicates.threshold", duplicates["threshold"], True, "duplicate", "values_of_likeness", {}
        )


def borderline_examples(
    connection: Connection,
    home: Home,
    recipe: str,
    definition: Mapping[str, Any],
    places: Mapping[str, UUID | None],
    changed: Iterable[str],
    n_examples: int,
) -> list[Example]:
    """The chunks nearest to each changed bound, on both sides.

    Args:
        connection: where the recipe is applied; it gets a temporary table.
        home: where the texts lie.
        recipe: the recipe's name there.
        definition: its keys.
        places: its ``chunking_id`` and ``reference_id``.
        changed: keys of the bounds to look at; a changed key of ``passages`` moves chunks across its bound.
        n_examples: at most so many on each side.
    """
    wanted = {"passages" if key.startswith("passages.") else key for key in changed}
    looked_at = [bound for bound in bounds(definition) if bound.key in wanted]
    if not looked_at or n_examples == 0:
        return []
    run_script(connection, "remember_decisions", {"recipe": recipe})
    return [
        example
        for bound in looked_at
        for example in _examples(connection, home, bound, {**places, **bound.parameters}, n_examples)
    ]


def _examples(
    connection: Connection, home: Home, bound: Bound, parameters: Mapping[str, Any], n_examples: int
) -> Iterator[Example]:
    values = query(bound.values).replace("$signal", str(parameters.get("signal", "")))
    (statement,) = connection.extract_statements(query("borderline_chunks").replace("$values", values))
    known = {
        **parameters,
        "bound": float(bound.bound),
        "sign": 1 if bound.drops_above else -1,
        "reason": bound.reason,
        "n_examples": n_examples,
    }
    rows = connection.execute(
        statement, {name: known[name] for name in statement.named_parameters}
    ).fetchall()
    for chunk_id, corpus, path, kept, value, name, row in rows:
        (text,) = read_rows(text_file(home.text, name), [row])
        yield Example(bound.key, float(bound.bound), kept, value, chunk_id, corpus, path, excerpt(text))


def excerpt(text: str) -> str:
    """The beginning of a text without private data, on one line that can be printed."""
    beginning = text[: 4 * EXCERPT_CHARACTERS]
    flat = " ".join(mask(beginning, find_private(beginning), KINDS).split())
    printable = "".join(character for character in flat if character.isprintable())
    return printable if len(printable) <= EXCERPT_CHARACTERS else printable[:EXCERPT_CHARACTERS] + "…"
