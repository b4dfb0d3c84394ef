"""The mixing methods by name.

A method is a function from member folders to an output folder, a model's or an ensemble's. To add one: write
the function in ``soups.py``, ``ensembles.py`` or a file of its own, and register it here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fakesmrt_models.mixing.ensembles import uniform_ensemble
from fakesmrt_models.mixing.members import Member, is_branch_pool, require_branch_pool, require_pool
from fakesmrt_models.mixing.soups import uniform_soup
from warehouse.errors import InvalidConfiguration

AUTO = "auto"


@dataclass(frozen=True)
class MixingMethod:
    """A way to make one model out of several.

    Attributes:
        mix: writes the mix of the given model folders into a folder that does not exist yet, and returns the
            share of each.
        mixes_weights: whether it mixes weights, and so needs a branch pool; else it mixes probabilities.
        description: one sentence for people.
    """

    mix: Callable[[Sequence[Path], Path], list[float]]
    mixes_weights: bool
    description: str


MIXING_METHODS: Mapping[str, MixingMethod] = {
    "uniform": MixingMethod(uniform_soup, True, "mean of the weights of models that grew from one trunk"),
    "ensemble": MixingMethod(
        uniform_ensemble, False, "mean of the probabilities of any models of one tokenizer"
    ),
}


def applicable_methods(method: str, members: Sequence[Member]) -> list[str]:
    """Names of the methods to try: the one asked for, or for `auto` all that the pool allows.

    Raises:
        InvalidConfiguration: there is no such method, or the members do not fit together under it.
    """
    require_pool(members)
    if method == AUTO:
        branch_pool = is_branch_pool(members)
        return [name for name, known in MIXING_METHODS.items() if branch_pool or not known.mixes_weights]
    if method not in MIXING_METHODS:
        raise InvalidConfiguration(
            f"There is no mixing method {method!r}", f"Choose one of {', '.join([AUTO, *MIXING_METHODS])}"
        )
    if MIXING_METHODS[method].mixes_weights:
        require_branch_pool(members)
    return [method]
