"""The shape of a transformer as one frozen value that a JSON file round-trips.

What lives here: `ModelConfig`, its checks, its parameter count, and which of its flags go beyond Qwen3. What
does not: the named shapes (``presets.py``) and the module (``transformer.py``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

from warehouse.errors import InvalidConfiguration

FeedForwardKind = Literal["swiglu", "relu_squared"]

KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "a whole number"), "float": ((float, int), "a number"), "bool": ((bool,), "true or false"),
    "FeedForwardKind": ((str,), "a name"),
}  # fmt: skip
"""What a field of `ModelConfig` takes, by its annotation; for Python true is an int too, here it is not."""


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A decoder-only transformer.

    With the defaults it is one that Hugging Face's Qwen3 (dense) can express; `beyond_qwen3` names what is not.

    Attributes:
        vocab_size: token ids are 0 … vocab_size - 1.
        width: length of a token's vector in the residual stream.
        n_layers: number of blocks (attention, then feed-forward).
        n_heads: query heads.
        n_kv_heads: key and value heads; each serves n_heads / n_kv_heads query heads (grouped-query
            attention, Ainslie et al. 2023, arXiv 2305.13245).
        head_width: length of a head's query, key and value; even, because RoPE turns pairs.
        feed_forward_width: hidden units of the feed-forward half of a block.
        context_length: longest sequence in tokens that the model is trained on.
        norm_weights: whether RMSNorm has a learned gain for each unit; without, the gain is the constant 1.
        query_key_gain: constant gain of the RMSNorm on queries and keys; None switches that norm off.
        tied_embeddings: whether the output projection is the embedding matrix.
        rope_theta: base of the rotary position embedding (Su et al. 2021, arXiv 2104.09864).
        norm_epsilon: added to the mean square in RMSNorm.
        sliding_window: how many last positions a token attends to, itself included; None for all.
        dropout: share of the units of the embedding and of every block's two contributions that are zeroed in
            training (Srivastava et al. 2014); drawn from torch's default generator, which checkpoints hold.
        feed_forward: "swiglu" (Shazeer 2020, arXiv 2002.05202), or "relu_squared", without a gate (So et al.
            2021, arXiv 2109.08668).
        logit_softcap: the logits z become softcap * tanh(z / softcap) (Gemma 2, arXiv 2408.00118); None leaves
            them.
        residual_lambdas: whether each block reads a * x + b * embedding with two learned numbers, at first 1
            and 0, in place of the residual stream x.
        value_from_embedding: whether a learned multiple, at first 0, of the first layer's values, which are a
            projection of the embedding, is added to each layer's values (Zhou et al. 2024, arXiv 2410.17897).
    """

    vocab_size: int
    width: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    head_width: int
    feed_forward_width: int
    context_length: int = 256
    norm_weights: bool = False
    query_key_gain: float | None = 1.2
    tied_embeddings: bool = True
    rope_theta: float = 10_000.0
    norm_epsilon: float = 1e-6
    sliding_window: int | None = None
    dropout: float = 0.0
    feed_forward: FeedForwardKind = "swiglu"
    logit_softcap: float | None = None
    residual_lambdas: bool = False
    value_from_embedding: bool = False

    def __post_init__(self) -> None:
        """Raise `InvalidConfiguration` for a shape that cannot be built."""
        for field in fields(self):
            value, kind = getattr(self, field.name), str(field.type)
            types, named = KINDS[kind.removesuffix(" | None")]
            optional = kind.endswith("None")
            _require(
                type(value) in types or (optional and value is None),
                f"{field.name} is {json.dumps(value, default=repr)}",
                f"Give {named}{' or null' if optional else ''}",
            )
        for name in (
            "vocab_size", "width", "n_layers", "n_heads", "n_kv_heads", "head_width", "feed_forward_width",
            "context_length",
        ):  # fmt: skip
            _require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}", "Give a positive number")
        _require(
            self.n_heads % self.n_kv_heads == 0,
            f"n_heads {self.n_heads} is no multiple of n_kv_heads {self.n_kv_heads}",
            "Choose n_kv_heads among the divisors of n_heads",
        )
        _require(
            self.head_width % 2 == 0, f"head_width {self.head_width} is odd", "Choose an even head_width"
        )
        _require(
            self.sliding_window is None or self.sliding_window >= 1,
            f"sliding_window is {self.sliding_window}",
            "Give a positive number of positions, or null for full attention",
        )
        _require(0 <= self.dropout < 1, f"dropout is {self.dropout}", "Give a share from 0 up, below 1")
        _require(
            self.feed_forward in get_args(FeedForwardKind),
            f"There is no feed_forward {self.feed_forward!r}: "
            f"{nearest_name(self.feed_forward, set(get_args(FeedForwardKind)))}",
            "Name one of these",
        )
        for name in ("query_key_gain", "rope_theta", "norm_epsilon", "logit_softcap"):
            value = getattr(self, name)
            _require(value is None or 0 < value < math.inf, f"{name} is {value}", "Give a positive number")

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, so that equal configurations have equal bytes."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, path: Path | None = None) -> ModelConfig:
        """Read what `to_json` wrote; raises `InvalidConfiguration` for anything else, which names its `path`."""
        try:
            return cls._from_json(text)
        except InvalidConfiguration as error:
            if path is None:
                raise
            raise InvalidConfiguration(f"{path}: {error.cause}", error.remedy) from error

    @classmethod
    def _from_json(cls, text: str | bytes) -> ModelConfig:
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidConfiguration(
                f"A model configuration is no JSON: {error}", "Restore the file"
            ) from error
        if not isinstance(values, dict):
            raise InvalidConfiguration("A model configuration is no JSON object", "Restore the file")
        refuse_unknown_keys(values, {field.name for field in fields(cls)}, "model configuration")
        try:
            return cls(**values)
        except TypeError as error:
            raise InvalidConfiguration(
                f"A model configuration is incomplete: {error}", "Add the key"
            ) from error


def parameters_by_component(config: ModelConfig) -> dict[str, int]:
    """Number of trainable parameters of each kind of component, counted from the configuration alone."""
    query_width = config.n_heads * config.head_width
    key_width = config.n_kv_heads * config.head_width
    embedding = config.vocab_size * config.width
    matrices = 3 if config.feed_forward == "swiglu" else 2
    scalars = 2 * config.residual_lambdas + config.value_from_embedding
    return {
        "embedding": embedding,
        "attention": config.n_layers * config.width * (2 * query_width + 2 * key_width),
        "feed_forward": config.n_layers * matrices * config.width * config.feed_forward_width,
        "norm": (2 * config.n_layers + 1) * config.width if config.norm_weights else 0,
        "scalars": config.n_layers * scalars,
        "output": 0 if config.tied_embeddings else embedding,
    }


def n_parameters(config: ModelConfig) -> int:
    """Number of trainable parameters, counted from the configuration alone."""
    return sum(parameters_by_component(config).values())


def beyond_qwen3(config: ModelConfig) -> list[str]:
    """Settings for which Hugging Face's Qwen3 (dense) has no counterpart, like "logit_softcap 15.0", by name."""
    departures = {
        "feed_forward": config.feed_forward != "swiglu",
        "logit_softcap": config.logit_softcap is not None,
        "query_key_gain": config.query_key_gain is None,
        "residual_lambdas": config.residual_lambdas,
        "value_from_embedding": config.value_from_embedding,
    }
    return [f"{name} {json.dumps(getattr(config, name))}" for name, departs in departures.items() if departs]


def nearest_name(name: str, known: set[str]) -> str:
    """A sentence part that offers the known name nearest to `name`, or all of them."""
    near = get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"the nearest is {near[0]}" if near else f"known are {', '.join(sorted(known))}"


def refuse_unknown_keys(values: Mapping[str, Any], known: set[str], what: str) -> None:
    """Raise `InvalidConfiguration` for the first key of `values` that is not `known`, naming the nearest."""
    for key in sorted(set(values) - known):
        raise InvalidConfiguration(
            f"Unknown key {key!r} in a {what}: {nearest_name(key, known)}", "Correct or remove the key"
        )


def _require(holds: bool, cause: str, remedy: str) -> None:
    if not holds:
        raise InvalidConfiguration(cause, remedy)
