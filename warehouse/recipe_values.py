"""Strict reading of settings: what is wrong is named with what would be right.

What lives here: the conditions that a field's annotation may state, and reading by them. What does not: which fields
a recipe has (``warehouse/recipes.py``).
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from warehouse.errors import InvalidConfiguration

Section = TypeVar("Section")

TYPE_NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


@dataclass(frozen=True)
class Range:
    """The numbers that a value may have; a bound of None sets no limit.

    Attributes:
        least: smallest valid number.
        above: largest number that is too small.
        most: largest valid number.
        or_zero: whether 0 is valid beside them.
    """

    least: float | None = None
    above: float | None = None
    most: float | None = None
    or_zero: bool = False

    def holds(self, value: float) -> bool:
        """Whether the number is valid; what is not finite never is."""
        if self.or_zero and value == 0:
            return True
        return (
            math.isfinite(value)
            and (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.most is None or value <= self.most)
        )

    def __str__(self) -> str:
        bounds = [
            f"{words} {bound:g}"
            for words, bound in (("at least", self.least), ("above", self.above), ("at most", self.most))
            if bound is not None
        ]
        return ("0 or " if self.or_zero else "") + " and ".join(bounds)


@dataclass(frozen=True)
class OneOf:
    """The texts that a value may be."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Spelled:
    """The form that a text must have: a pattern, and what it means to a person."""

    pattern: str
    meaning: str


Share = Annotated[float, Range(least=0, most=1)]
Ratio = Annotated[float, Range(least=0)]
Count = Annotated[int, Range(least=0)]


def nearest(value: str, valid: Iterable[str], kind: str) -> str:
    """A remedy for an unknown name: the nearest valid one, or all of them."""
    valid = list(valid)
    near = difflib.get_close_matches(value, valid, n=1) or difflib.get_close_matches(
        value.lower(), valid, n=1
    )
    return f"Did you mean {near[0]}?" if near else f"Valid {kind} are {', '.join(valid)}"


def key_types(section: type) -> dict[str, Any]:
    """The keys of a section with their annotated types, conditions included."""
    return get_type_hints(section, include_extras=True)


def required(kind: Any) -> Any:
    """The type without its None."""
    if isinstance(kind, UnionType) or type(None) in get_args(kind):
        return next(one for one in get_args(kind) if one is not NoneType)
    return kind


def is_section(kind: Any) -> bool:
    """Whether a key of this type is a table with keys of its own."""
    return isinstance(kind, type) and dataclasses.is_dataclass(kind)


def all_keys(section: type, prefix: str = "") -> list[str]:
    """Every key of a section and the sections in it, dotted."""
    return [
        key
        for name, kind in key_types(section).items()
        for key in (all_keys(kind, f"{prefix}{name}.") if is_section(kind) else [f"{prefix}{name}"])
    ]


@dataclass(frozen=True)
class Reader:
    """Reads values by the annotations of dataclasses.

    Attributes:
        subject: what is read, as messages begin: ``Recipe letters``.
        root: the outermost section; a key that stands in the wrong one is found from it.
        page: where the keys are described.
    """

    subject: str
    root: type
    page: str

    def section(self, section: type[Section], values: object, where: str = "") -> Section:
        """A table as an instance of the dataclass `section`.

        Raises:
            InvalidConfiguration: for an unknown key, a value of the wrong type or one that cannot be.
        """
        if not isinstance(values, dict):
            raise InvalidConfiguration(
                f"{self._named(where)} must be a table",
                f"Write it as [{where}] with its keys below, as {self.page} does",
            )
        kinds = key_types(section)
        for key in values:
            if key not in kinds:
                raise InvalidConfiguration(
                    f"{self._named(where)} has an unknown key {key!r}",
                    self._nearest_key(key, list(kinds), where),
                )
        inside = f"{where}." if where else ""
        return section(
            **{key: self._value(required(kinds[key]), value, inside + key) for key, value in values.items()}
        )

    def _named(self, where: str) -> str:
        return f"{self.subject}: {where}" if where else self.subject

    def _nearest_key(self, key: str, own: list[str], where: str) -> str:
        if difflib.get_close_matches(key, own, n=1):
            return nearest(key, own, "keys")
        elsewhere = {name.rpartition(".")[2]: name for name in all_keys(self.root)}
        near = difflib.get_close_matches(key, elsewhere, n=1, cutoff=0.8)
        if near and elsewhere[near[0]] != f"{where}.{near[0]}":
            return f"Did you mean {elsewhere[near[0]]}?"
        return nearest(key, own, "keys")

    def _value(self, kind: Any, value: object, where: str) -> object:
        if get_origin(kind) is Annotated:
            base, *conditions = get_args(kind)
            read = self._value(base, value, where)
            for condition in conditions:
                self._require(condition, read, where)
            return read
        if is_section(kind):
            return self.section(kind, value, where)
        if get_origin(kind) is tuple and isinstance(value, list | tuple):
            return tuple(self._value(get_args(kind)[0], item, where) for item in value)
        if get_origin(kind) is Mapping and isinstance(value, dict):
            return self._mapping(kind, value, where)
        return self._plain(kind, value, where)

    def _mapping(self, kind: Any, value: dict[object, object], where: str) -> dict[object, object]:
        key_kind, item_kind = get_args(kind)
        return {
            self._value(key_kind, key, where): self._value(item_kind, item, f"{where}.{key}")
            for key, item in value.items()
        }

    def _plain(self, kind: Any, value: object, where: str) -> object:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if kind is float and is_number:
            return float(value)  # type: ignore[arg-type]  # is_number says so
        if (
            isinstance(kind, type)
            and isinstance(value, kind)
            and (kind is bool or not isinstance(value, bool))
        ):
            return value
        wanted = TYPE_NAMES.get(kind) or ("a list" if get_origin(kind) is tuple else "a table")
        raise InvalidConfiguration(
            f"{self._named(where)} cannot be {value!r}: it is {wanted}", f"Compare it with {self.page}"
        )

    def _require(self, condition: object, value: Any, where: str) -> None:
        named = self._named(where)
        if isinstance(condition, Range) and not condition.holds(value):
            raise InvalidConfiguration(
                f"{named} is {value!r} and must be {condition}", "Change the value in the recipe's file"
            )
        if isinstance(condition, OneOf) and value not in condition.values:
            raise InvalidConfiguration(
                f"{named} has an unknown value {value!r}", nearest(value, condition.values, "values")
            )
        if isinstance(condition, Spelled) and not re.fullmatch(condition.pattern, value):
            lower = value.lower()
            near = lower != value and re.fullmatch(condition.pattern, lower)
            remedy = f"Did you mean {lower}?" if near else "Change the value in the recipe's file"
            raise InvalidConfiguration(f"{named} has {value!r}, which is not {condition.meaning}", remedy)
