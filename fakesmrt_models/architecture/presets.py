"""The named shapes. 1KX is 1,024 parameters and 1MX is 1,048,576: `1mx`, `2mx`, `4mx` are exact."""

from __future__ import annotations

from fakesmrt_models.architecture.config import ModelConfig, nearest_name
from warehouse.errors import InvalidConfiguration

PRESETS: dict[str, ModelConfig] = {
    # 57,344 parameters: for tests and for a first look.
    "56kx": ModelConfig(
        vocab_size=512, width=64, n_layers=1, n_heads=2, n_kv_heads=1, head_width=32,
        feed_forward_width=64, context_length=64,
    ),
    "1mx": ModelConfig(
        vocab_size=2_048, width=128, n_layers=4, n_heads=4, n_kv_heads=2, head_width=32,
        feed_forward_width=384,
    ),
    "2mx": ModelConfig(
        vocab_size=2_048, width=128, n_layers=7, n_heads=4, n_kv_heads=4, head_width=32,
        feed_forward_width=512,
    ),
    "4mx": ModelConfig(
        vocab_size=2_048, width=256, n_layers=7, n_heads=6, n_kv_heads=2, head_width=32,
        feed_forward_width=512,
    ),
}  # fmt: skip


def preset(name: str) -> ModelConfig:
    """The configuration called `name`; raises `InvalidConfiguration` offering the nearest name."""
    if name not in PRESETS:
        raise InvalidConfiguration(
            f"There is no preset {name!r}: {nearest_name(name, set(PRESETS))}",
            "List them with: fakesmrt presets",
        )
    return PRESETS[name]
