"""Recipes: strict to read, canonical to compare."""

from __future__ import annotations

import dataclasses
import json

import pytest

from warehouse.errors import InvalidConfiguration
from warehouse.home import Home
from warehouse.recipes import Recipe, load_recipe, parse_recipe, shipped_recipes


def test_every_shipped_recipe_is_valid_and_described() -> None:
    for name, toml in shipped_recipes().items():
        assert parse_recipe(name, toml).description


def test_the_users_own_recipe_goes_before_a_shipped_one(home: Home) -> None:
    (home.recipes / "default.toml").write_text("[quality]\nmin_words = 50\n")
    assert load_recipe(home, "default").quality.min_words == 50


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[quality]\nmin_word = 5", "Did you mean min_words"),
        ("[qualty]\n", "Did you mean quality"),
        ("[quality]\nmin_words = 'many'", "cannot be 'many'"),
        ("[quality]\nmin_words = true", "cannot be True"),
        ("[duplicates]\nthreshold = 1.5", "threshold must be"),
        ("[perplexity]\nhead = 0.9\nmiddle = 0.2", "head <= middle"),
        ("[corpora.weights]\nletters = -1", "cannot be"),
        ("quality = 3", "must be a table"),
        ("name = 'default'", "named by its file"),
        ("[licences]\nallowed = ['Apache 2']", "Apache-2.0"),
        ("[privacy]\nmask = ['e-mail']", "Did you mean email"),
        ("[privacy]\nmask = ['names']", "Valid kinds are email, phone, public_ip, card, iban"),
        ("[privacy]\nmask = 'email'", "cannot be 'email'"),
        ("[quality", "not valid TOML"),
    ],
)
def test_a_recipe_that_cannot_be_is_named_with_its_remedy(toml: str, message: str) -> None:
    with pytest.raises(InvalidConfiguration, match=message):
        parse_recipe("mine", toml)


def test_a_recipe_that_is_not_there_offers_the_nearest_name(home: Home) -> None:
    with pytest.raises(InvalidConfiguration, match="Did you mean default"):
        load_recipe(home, "defalt")


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
