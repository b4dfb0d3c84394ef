"""The signals have one list: the columns of the database and of a commit follow it, and so do the bounds of recipes."""

from __future__ import annotations

from dataclasses import fields, replace
from types import NoneType
from typing import get_args, get_type_hints

import pyarrow as pa
import pytest

from tests.stages.test_training_chunk import PLAIN, Corpus
from warehouse.cleanser.signals import SIGNALS, measure_signals
from warehouse.database import Warehouse
from warehouse.quality_rules import QualityRules
from warehouse.stages.arrow import CHUNK, SIGNAL_TYPES

SQL_TYPES = {"int32": "INTEGER", "int16": "SMALLINT", "float32": "FLOAT", "bool": "BOOLEAN", "str": "VARCHAR"}

NO_SIGNAL = {"max_replaced_share", "min_characters"}
"""Its measure is made when text is decoded."""

TEXTS_ABOUT_SIGNALS = {"language", "language_score", "script"}
"""Recipes choose languages by document (`language.allowed`)."""


def signal_of(rule: str) -> str:
    """The signal that a rule bounds: by its name, with the n of a count."""
    name = rule.split("_", 1)[1]
    names = {signal.name for signal in SIGNALS}
    candidates = (name, f"n_{name}", name.replace("c4_", "c4_n_"), f"c4_has_{name}")
    return next(candidate for candidate in candidates if candidate in names)


RULES = [field.name for field in fields(QualityRules) if field.name not in NO_SIGNAL]


def test_columns_of_the_database_and_of_a_commit_are_the_signals(warehouse: Warehouse) -> None:
    with warehouse.read() as connection:
        rows = connection.execute(
            "SELECT column_name, data_type, comment FROM duckdb_columns()"
            " WHERE schema_name = 'corpus' AND table_name = 'chunk'"
        ).fetchall()
    stored = {name: (kind, comment) for name, kind, comment in rows}
    for signal in SIGNALS:
        assert stored[signal.name] == (SQL_TYPES[signal.dtype], signal.description)
        assert CHUNK.field(signal.name).type == SIGNAL_TYPES[signal.dtype]
    assert stored.keys() == set(CHUNK.names)


def test_measures_have_the_types_that_are_stored() -> None:
    columns = measure_signals(["One text, and another.\n", ""])
    assert list(columns) == [signal.name for signal in SIGNALS]
    for signal in SIGNALS:
        array = pa.array(columns[signal.name])
        assert array.type == SIGNAL_TYPES[signal.dtype]
        assert not array.null_count


def test_every_signal_has_a_bound() -> None:
    assert {signal_of(rule) for rule in RULES} | TEXTS_ABOUT_SIGNALS == {signal.name for signal in SIGNALS}


@pytest.mark.parametrize("rule", RULES)
def test_a_bound_drops_what_lies_outside_it_and_says_so(warehouse: Warehouse, rule: str) -> None:
    hint = get_type_hints(QualityRules)[rule]
    kind = next((kind for kind in get_args(hint) if kind is not NoneType), hint)
    bound, outside = {int: (50, 51), float: (0.7, 0.75), bool: (True, True)}[kind]
    if rule.startswith("min_"):
        outside = bound - (outside - bound)
    inside = False if kind is bool else bound
    recipe = replace(PLAIN, quality=QualityRules(**{rule: bound}))
    signal = signal_of(rule)
    with warehouse.write("test") as connection:
        corpus = Corpus(connection)
        source = corpus.add_source("a")
        corpus.add_chunk(1, source, **{"n_words": 50, signal: inside})
        corpus.add_chunk(2, source, **{"n_words": 50, signal: outside})
        reasons = corpus.decide(recipe)
    length = {"min": "too_few_words", "max": "too_many_words"}[rule[:3]] if rule.endswith("_words") else None
    assert reasons == {1: None, 2: length or signal}
