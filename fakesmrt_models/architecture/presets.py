"""The named shapes. 1KX is 1,024 parameters and 1MX is 1,048,576: names in mx and kx are exact.

The shapes around `1mx` change one thing at the same number of parameters, and pay for it with the width of the
feed-forward: a vocabulary of v costs v rows of 128, a layer 384 rows for attention and 3 for each hidden unit.
"""

from __future__ import annotations

from dataclasses import replace

from fakesmrt_models.architecture.config import ModelConfig, nearest_name
from warehouse.errors import InvalidConfiguration

ONE_MX = ModelConfig(
    vocab_size=2_048, width=128, n_layers=4, n_heads=4, n_kv_heads=2, head_width=32, feed_forward_width=384
)

MICRO: dict[str, ModelConfig] = {
    # 57,344 parameters: for tests and for a first look.
    "56kx": ModelConfig(
        vocab_size=512, width=64, n_layers=1, n_heads=2, n_kv_heads=1, head_width=32,
        feed_forward_width=64, context_length=64,
    ),
    "1mx": ONE_MX,
    "2mx": replace(ONE_MX, n_layers=7, n_kv_heads=4, feed_forward_width=512),
    "4mx": replace(ONE_MX, width=256, n_layers=7, n_heads=6, feed_forward_width=512),
    # 2mx and 4mx with twice the widths and twice the vocabulary.
    "8mx": ModelConfig(
        vocab_size=4_096, width=256, n_layers=7, n_heads=4, n_kv_heads=4, head_width=64,
        feed_forward_width=1_024, context_length=512,
    ),
    "16mx": ModelConfig(
        vocab_size=4_096, width=512, n_layers=7, n_heads=6, n_kv_heads=2, head_width=64,
        feed_forward_width=1_024, context_length=512,
    ),
}  # fmt: skip

LADDER: dict[str, ModelConfig] = {
    "1mx-v512": replace(ONE_MX, vocab_size=512, feed_forward_width=512),
    # Powers of two do not divide evenly with the attention of 1mx.
    "1mx-v1024": replace(ONE_MX, vocab_size=1_024, n_heads=6, n_kv_heads=1, feed_forward_width=448),
    "1mx-v1280": replace(ONE_MX, vocab_size=1_280, feed_forward_width=448),
    "1mx-v2816": replace(ONE_MX, vocab_size=2_816, feed_forward_width=320),
    "1mx-v3584": replace(ONE_MX, vocab_size=3_584, feed_forward_width=256),
    "1mx-v4096": replace(ONE_MX, vocab_size=4_096, n_heads=6, n_kv_heads=1, feed_forward_width=192),
}
"""Vocabularies at the same number of parameters; the rung of 2,048 is `1mx` itself."""

VARIANTS: dict[str, ModelConfig] = {
    "1mx-shallow": replace(ONE_MX, n_layers=2, feed_forward_width=896),
    "1mx-l3": replace(ONE_MX, n_layers=3, n_kv_heads=4, feed_forward_width=512),
    "1mx-deep": replace(ONE_MX, n_layers=8, feed_forward_width=128),
    "1mx-narrow": replace(ONE_MX, width=64, n_layers=14, n_heads=2, feed_forward_width=256),
    "1mx-wide": replace(ONE_MX, width=256, n_layers=2, n_heads=6, n_kv_heads=1, feed_forward_width=192),
    "1mx-h2": replace(ONE_MX, n_heads=2, n_kv_heads=1, head_width=64),
    "1mx-relu2": replace(ONE_MX, feed_forward="relu_squared", feed_forward_width=576),
    "1mx-h2-relu2": replace(
        ONE_MX, n_heads=2, n_kv_heads=1, head_width=64, feed_forward="relu_squared", feed_forward_width=576
    ),
}
"""Depth, width, heads and feed-forward at the same number of parameters, for comparisons."""

DENSE: dict[str, ModelConfig] = {
    "25m": ModelConfig(
        vocab_size=8_192, width=384, n_layers=14, n_heads=6, n_kv_heads=2, head_width=64,
        feed_forward_width=1_024, context_length=512,
    ),
    "65m": ModelConfig(
        vocab_size=16_384, width=512, n_layers=20, n_heads=8, n_kv_heads=2, head_width=64,
        feed_forward_width=1_408, context_length=1_024,
    ),
    "75m": ModelConfig(
        vocab_size=16_384, width=640, n_layers=15, n_heads=10, n_kv_heads=2, head_width=64,
        feed_forward_width=1_728, context_length=1_024,
    ),
    "112m": ModelConfig(
        vocab_size=49_152, width=768, n_layers=12, n_heads=12, n_kv_heads=3, head_width=64,
        feed_forward_width=2_048, context_length=2_048, norm_weights=True,
    ),
    "175m": ModelConfig(
        vocab_size=32_768, width=768, n_layers=24, n_heads=12, n_kv_heads=4, head_width=64,
        feed_forward_width=2_016, context_length=2_048,
    ),
}  # fmt: skip
"""Grouped queries, about as many millions of parameters as the name says."""

GPT_STYLE: dict[str, ModelConfig] = {
    # GPT-2's vocabulary, rounded up to a multiple of 64; as many key and value heads as query heads.
    "tiny": ModelConfig(
        vocab_size=50_304, width=512, n_layers=8, n_heads=8, n_kv_heads=8, head_width=64,
        feed_forward_width=1_280, context_length=1_024,
    ),
    "small": ModelConfig(
        vocab_size=50_304, width=640, n_layers=14, n_heads=10, n_kv_heads=10, head_width=64,
        feed_forward_width=1_664, context_length=1_024,
    ),
    "medium": ModelConfig(
        vocab_size=50_304, width=1_024, n_layers=20, n_heads=16, n_kv_heads=16, head_width=64,
        feed_forward_width=2_688, context_length=1_024,
    ),
}  # fmt: skip
"""About 50, 100 and 300 million parameters."""

PRESETS: dict[str, ModelConfig] = MICRO | LADDER | VARIANTS | DENSE | GPT_STYLE


def preset(name: str) -> ModelConfig:
    """The configuration called `name`; raises `InvalidConfiguration` offering the nearest name."""
    if name not in PRESETS:
        raise InvalidConfiguration(
            f"There is no preset {name!r}: {nearest_name(name.lower(), set(PRESETS))}",
            "List them with: fakesmrt presets",
        )
    return PRESETS[name]
