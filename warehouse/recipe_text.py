"""A recipe written out: as TOML with every key explained, and the JSON Schema by which editors complete it.

What lives here: the form. What does not: the keys, their defaults and what they mean, which are read off the
dataclasses of ``warehouse/recipes.py`` and their docstrings.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import textwrap
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

from warehouse.recipe_values import OneOf, Range, Spelled, is_section, key_types, required
from warehouse.recipes import Recipe

COMMENT_WIDTH = 100

JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def key_meanings(section: type) -> dict[str, str]:
    """What each key of a section means, from the ``Attributes:`` of its docstring."""
    _, _, attributes = inspect.cleandoc(section.__doc__ or "").partition("Attributes:\n")
    entries = re.split(r"^    (\w+): ", attributes, flags=re.MULTILINE)[1:]
    return {
        key: " ".join(text.split()).replace("``", "")
        for key, text in zip(entries[::2], entries[1::2], strict=True)
    }


def section_summary(section: type) -> str:
    """The first paragraph of a section's docstring."""
    return " ".join(inspect.cleandoc(section.__doc__ or "").partition("\n\n")[0].split())


def _toml_text(value: str) -> str:
    # TOML's basic strings are those of JSON, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml_value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _toml_text(value)
    if isinstance(value, tuple):
        return f"[{', '.join(_toml_value(item) for item in value)}]"
    if isinstance(value, Mapping):
        items = [f"{_toml_text(key)} = {_toml_value(item)}" for key, item in value.items()]
        return f"{{ {', '.join(items)} }}" if items else "{}"
    return repr(value)


def _commented(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, COMMENT_WIDTH, break_on_hyphens=False)]


def _key_lines(section: Any) -> list[str]:
    """Its plain keys, each with its meaning above it; a bound that is not set stands in a comment."""
    meanings = key_meanings(type(section))
    lines = []
    for field in dataclasses.fields(section):
        value = getattr(section, field.name)
        if field.name == "name" or dataclasses.is_dataclass(value):
            continue
        lines += _commented(meanings[field.name])
        lines.append(f"# {field.name} = none" if value is None else f"{field.name} = {_toml_value(value)}")
    return lines


def to_toml(recipe: Recipe) -> str:
    """The complete recipe as TOML, with every default and what each key means; reading it gives an equal recipe."""
    blocks = [_key_lines(recipe)]
    for field in dataclasses.fields(recipe):
        section = getattr(recipe, field.name)
        if dataclasses.is_dataclass(section) and not isinstance(section, type):
            blocks.append(
                [*_commented(section_summary(type(section))), f"[{field.name}]", *_key_lines(section)]
            )
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _condition_schema(condition: object) -> dict[str, Any]:
    if isinstance(condition, Range):
        bounds = {
            "minimum": condition.least,
            "exclusiveMinimum": condition.above,
            "maximum": condition.most,
        }
        schema: dict[str, Any] = {key: bound for key, bound in bounds.items() if bound is not None}
        return {"anyOf": [{"const": 0}, schema]} if condition.or_zero else schema
    if isinstance(condition, OneOf):
        return {"enum": list(condition.values)}
    if isinstance(condition, Spelled):
        return {"pattern": f"^(?:{condition.pattern})$"}
    return {}


def _value_schema(kind: Any) -> dict[str, Any]:
    """JSON Schema of the values of a key's annotated type."""
    if get_origin(kind) is Annotated:
        base, *conditions = get_args(kind)
        schema = _value_schema(base)
        for condition in conditions:
            schema |= _condition_schema(condition)
        return schema
    if is_section(kind):
        return section_schema(kind)
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _value_schema(get_args(kind)[0])}
    if get_origin(kind) is Mapping:
        names, values = (_value_schema(part) for part in get_args(kind))
        names.pop("type", None)
        schema = {"type": "object", "additionalProperties": values}
        return schema | ({"propertyNames": names} if names else {})
    return {"type": JSON_TYPES[kind]}


def section_schema(section: type) -> dict[str, Any]:
    """JSON Schema of a section: its keys with their types, conditions, defaults and meanings."""
    meanings, defaults = key_meanings(section), section(name="") if section is Recipe else section()
    properties = {}
    for key, kind in key_types(section).items():
        if section is Recipe and key == "name":
            continue
        properties[key] = _value_schema(required(kind))
        default = getattr(defaults, key)
        if key in meanings:
            properties[key]["description"] = meanings[key]
        if default is not None and not dataclasses.is_dataclass(default):
            properties[key]["default"] = json.loads(json.dumps(default))
    return {
        "type": "object",
        "description": section_summary(section),
        "properties": properties,
        "additionalProperties": False,
    }


def recipe_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a recipe's TOML file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fakesmrt recipe",
        **section_schema(Recipe),
    }
