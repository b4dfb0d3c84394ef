"""Recipes: strict to read, canonical to compare, and the same after they were written out."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.errors import InputUnreadable, InvalidConfiguration
from warehouse.home import Home
from warehouse.recipe_text import key_meanings, recipe_schema, to_toml
from warehouse.recipe_values import OneOf, Range, Spelled, is_section, key_types, required
from warehouse.recipes import Recipe, load_recipe, parse_recipe, shipped_recipes


def test_every_shipped_recipe_is_valid_described_and_names_its_source() -> None:
    shipped = shipped_recipes()
    assert list(shipped) == ["ccnet", "default", "fineweb", "gopher", "raw"]
    for name, toml in shipped.items():
        assert parse_recipe(name, toml).description
        assert toml.startswith("# ")
    papers = {"ccnet": "1911.00359", "fineweb": "2406.17557", "gopher": "2112.11446"}
    for name, paper in papers.items():
        header = shipped[name].partition("description")[0]
        assert f"arXiv:{paper}" in header
        assert "Differences:" in header


def test_the_shipped_default_has_the_defaults_but_for_these_bounds() -> None:
    default = parse_recipe("default", shipped_recipes()["default"])
    bounds = {f"max_duplicate_{n}gram_character_share": (20 - n) / 100 for n in range(5, 11)}
    usual = Recipe("default", default.description)
    assert dataclasses.replace(default, quality=usual.quality) == usual
    stated, otherwise = dataclasses.asdict(default.quality), dataclasses.asdict(usual.quality)
    assert {key: value for key, value in stated.items() if value != otherwise[key]} == bounds


def test_the_users_own_recipe_goes_before_a_shipped_one(home: Home) -> None:
    (home.recipes / "default.toml").write_text("[quality]\nmin_words = 50\n")
    assert load_recipe(home, "default").quality.min_words == 50


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[quality]\nmin_word = 5", "quality has an unknown key 'min_word'. Did you mean min_words?"),
        ("[qualty]\n", "Did you mean quality?"),
        ("min_words = 5", "Did you mean quality.min_words?"),
        ("[quality]\nthreshold = 0.7", "Did you mean duplicates.threshold?"),
        ("[tokenizer]\nzzz = 1", "Valid keys are vocab_size, sample_bytes"),
        ("[quality]\nmin_words = 'many'", "quality.min_words cannot be 'many': it is a whole number"),
        ("[quality]\nmin_words = true", "cannot be True"),
        ("[quality]\nmin_words = -1", "quality.min_words is -1 and must be at least 0"),
        ("[quality]\nmin_letter_share = 40", "is 40.0 and must be at least 0 and at most 1"),
        ("[quality]\nmin_words = 9\nmax_words = 3", "quality.min_words is 9 and quality.max_words 3"),
        ("[quality]\nmax_mean_word_length = inf", "is inf and must be at least 0"),
        ("[duplicates]\nthreshold = 1.5", "threshold is 1.5 and must be above 0.5 and at most 1"),
        ("[duplicates]\nthreshold = nan", "threshold is nan and must be above 0.5 and at most 1"),
        ("[duplicates]\nlevel = 'nearly'", "Did you mean near?"),
        (
            "[duplicates]\nkeeper = ['size']",
            "Valid values are corpus, quality, perplexity, length, centre, age",
        ),
        ("[duplicates]\nkeeper = ['qualty']", "Did you mean quality?"),
        ("[duplicates]\nkeeper = 'length'", "keeper cannot be 'length': it is a list"),
        ("[passages]\nremove = ['lines']", "Did you mean line?"),
        ("[passages]\nmin_documents = 1", "min_documents is 1 and must be at least 2"),
        (
            "[rehydration.weights]\nmany = 2",
            "rehydration.weights has 'many', which is not a number of copies",
        ),
        ("[rehydration.weights]\n5 = -2", "rehydration.weights.5 is -2.0 and must be at least 0"),
        ("[perplexity]\nhead = 0.9\nmiddle = 0.2", "perplexity.head <= perplexity.middle"),
        ("[perplexity]\nmin_percentile = 0.5\n[perplexity.max_percentile_by_corpus]\na = 0.4", "by_corpus.a"),
        ("[perplexity.max_percentile_by_language]\nEN = 0.5", "Did you mean en?"),
        ("[perplexity]\nwithin = 'corpora'", "Did you mean corpus?"),
        ("[perplexity]\norder = 9", "order is 9 and must be at least 1 and at most 7"),
        ("[perplexity]\norder = 6", "order is 6 and must be at most 5 with perplexity.vocab_size 2048"),
        ("[chunking]\nmax_tokens = 10", "max_tokens is 10 and must be 0 or at least 64"),
        ("[chunking]\nmax_tokens = 100", "needs both max_tokens and tokenizer"),
        ("[chunking]\nmax_tokens = 100\ntokenizer = '../t.json'", "plain name of a .json file"),
        ("[language]\nallowed = ['english']", "'english', which is not an ISO 639 code"),
        ("[decontamination]\nrules = ['ngrams']", "Valid values are ngram_overlap, near_duplicate"),
        ("[decontamination]\nmin_score = 0.1", "must be at least 0.5 and at most 1"),
        ("[corpora.weights]\nletters = -1", "corpora.weights.letters is -1.0 and must be at least 0"),
        ("[corpora.weights]\nletters = 'x'", "cannot be 'x': it is a number"),
        ("quality = 3", "must be a table"),
        ("name = 'default'", "named by its file"),
        ("[licences]\nallowed = ['Apache 2']", "Apache-2.0"),
        ("[privacy]\nmask = ['e-mail']", "Did you mean email?"),
        ("[privacy]\nmask = ['names']", "Valid values are email, phone, public_ip, card, iban"),
        ("[privacy]\nmask = 'email'", "cannot be 'email'"),
        ("[quality", "not valid TOML"),
    ],
)
def test_a_recipe_that_cannot_be_is_named_with_its_remedy(toml: str, message: str) -> None:
    with pytest.raises(InvalidConfiguration, match=re.escape(message)):
        parse_recipe("mine", toml)


def test_a_recipe_that_is_not_there_or_no_text_is_named(home: Home) -> None:
    with pytest.raises(InvalidConfiguration, match="Did you mean default"):
        load_recipe(home, "defalt")
    (home.recipes / "broken.toml").write_bytes(b"description = '\xff'")
    with pytest.raises(InputUnreadable, match=r"broken\.toml is not UTF-8 text"):
        load_recipe(home, "broken")


def test_equal_recipes_have_equal_hashes_and_round_trip() -> None:
    text = "seed = 3\n[corpora]\ninclude = ['b', 'a']\n[corpora.weights]\nb = 2\na = 1\n"
    recipe = parse_recipe("mine", text)
    assert recipe.sha256 == parse_recipe("mine", text.replace("b = 2\na = 1", "a = 1.0\nb = 2.0")).sha256
    assert dataclasses.replace(recipe, seed=4).sha256 != recipe.sha256
    assert json.loads(recipe.to_json())["corpora"]["weights"] == {"a": 1.0, "b": 2.0}


def test_the_defaults_are_a_valid_recipe() -> None:
    assert parse_recipe("mine", "") == Recipe("mine")


def test_what_is_masked_is_part_of_a_recipe_in_whatever_order_it_is_named() -> None:
    some = parse_recipe("mine", "[privacy]\nmask = ['iban', 'email', 'email']")
    assert some.privacy.mask == ("email", "iban")
    assert some.sha256 == parse_recipe("mine", "[privacy]\nmask = ['email', 'iban']").sha256
    assert some.sha256 != parse_recipe("mine", "[privacy]\nmask = []").sha256
    assert parse_recipe("default", shipped_recipes()["default"]).privacy == Recipe("default").privacy


def valid_values(kind: Any) -> st.SearchStrategy[Any]:
    """Values that a key's annotation allows."""
    if get_origin(kind) is Annotated:
        base, condition = get_args(kind)
        if isinstance(condition, Range):
            least = condition.least if condition.least is not None else condition.above or 0
            numbers = (
                st.integers(int(least), int(condition.most or 10**9))
                if base is int
                else st.floats(least, condition.most or 1e9, exclude_min=condition.above is not None)
            )
            return st.just(0) | numbers if condition.or_zero else numbers
        if isinstance(condition, OneOf):
            return st.sampled_from(condition.values)
        assert isinstance(condition, Spelled)
        return st.from_regex(condition.pattern, fullmatch=True)
    if get_origin(kind) is tuple:
        return st.lists(valid_values(get_args(kind)[0]), max_size=3)
    if get_origin(kind) is Mapping:
        return st.dictionaries(*(valid_values(part) for part in get_args(kind)), max_size=3)
    return {str: st.text(max_size=20), bool: st.booleans(), int: st.integers(0, 2**40)}[kind]


def valid_keys(section: type) -> dict[str, st.SearchStrategy[Any]]:
    return {
        key: sections(kind) if is_section(kind) else valid_values(required(kind))
        for key, kind in key_types(section).items()
        if key not in {"name", "licences", "min_words"}
    }


def sections(section: type) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=valid_keys(section))


@given(st.data())
def test_a_recipe_written_out_is_read_as_the_same_recipe(data: st.DataObject) -> None:
    values = data.draw(sections(Recipe))
    try:
        recipe = parse_recipe("mine", to_toml_of(values))
    except InvalidConfiguration as error:
        # Bounds that are possible one by one may leave nothing between them.
        assert re.search("nothing lies between|needs both|must be at most", error.cause)  # noqa: PT017  # only some draws raise
        return
    assert parse_recipe("mine", to_toml(recipe)) == recipe


def to_toml_of(values: dict[str, Any]) -> str:
    """The drawn values as JSON-like TOML, one dotted key a line."""
    lines = []
    for key, value in values.items():
        items = value.items() if isinstance(value, dict) else [("", value)]
        lines += [f"{f'{key}.{name}'.rstrip('.')} = {inline(item)}" for name, item in items]
    return "\n".join(lines)


def inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{inline(key)} = {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    # A surrogate pair is no character of TOML, and DEL wants to be escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def test_a_recipe_written_out_has_every_key_explained() -> None:
    lines = to_toml(Recipe("mine")).splitlines()
    keys = [index for index, line in enumerate(lines) if re.match(r"(# )?\w+ = ", line)]
    assert len(keys) > 90
    assert all(lines[index - 1].startswith("# ") for index in keys)


def test_the_schema_has_every_key_with_its_meaning() -> None:
    schema = recipe_schema()
    assert set(schema["properties"]) == {field.name for field in dataclasses.fields(Recipe)} - {"name"}
    for key, section in key_types(Recipe).items():
        if is_section(section):
            assert set(key_meanings(section)) == {field.name for field in dataclasses.fields(section)}, key
    threshold = schema["properties"]["duplicates"]["properties"]["threshold"]
    assert (threshold["exclusiveMinimum"], threshold["maximum"], threshold["default"]) == (0.5, 1, 0.8)
    assert schema["properties"]["rehydration"]["properties"]["weights"]["propertyNames"]["pattern"]
    assert tomllib.loads(to_toml(Recipe("mine"))).keys() == schema["properties"].keys()
