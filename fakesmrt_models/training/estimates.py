"""What a preset costs before it is trained: parameters, memory by component, operations."""

from __future__ import annotations

from dataclasses import dataclass

from fakesmrt_models.architecture.config import ModelConfig, n_parameters, parameters_by_component

FLOAT32_BYTES = 4
BFLOAT16_BYTES = 2
PROCESS_BYTES = 300 << 20
"""Python with torch loaded and its compiler's caches, before any model (measured)."""

LOGIT_BYTES = 16
"""A logit lives as bfloat16, float32, its logarithm, and their gradients (measured peak)."""


@dataclass(frozen=True)
class Estimate:
    """The cost of a training step; bytes, and floating-point operations.

    Attributes:
        n_parameters: trainable ones.
        parameters: the same by component.
        weight_bytes: weights and their gradients.
        optimizer_bytes: Muon's momentum and AdamW's two moments.
        activation_bytes: kept for the backward pass, with the logits.
        memory_bytes: all of it and the process itself.
        flops_per_token: forward and backward, attention included.
    """

    n_parameters: int
    parameters: dict[str, int]
    weight_bytes: int
    optimizer_bytes: int
    activation_bytes: int
    memory_bytes: int
    flops_per_token: int


def estimate(config: ModelConfig, batch_size: int, sequence_length: int) -> Estimate:
    """Estimate a step of `batch_size` sequences of `sequence_length` tokens."""
    parts = parameters_by_component(config)
    total = n_parameters(config)
    matrices = parts["attention"] + parts["feed_forward"]
    weight_bytes = 2 * FLOAT32_BYTES * total
    optimizer_bytes = FLOAT32_BYTES * (matrices + 2 * (total - matrices))
    activation_bytes = batch_size * sequence_length * activation_bytes_per_token(config)
    # Forward 2, backward 4 operations a weight and token; likewise scores and values of half a window.
    attended = config.n_layers * 2 * config.n_heads * config.head_width * sequence_length // 2
    used = total if config.tied_embeddings else total - parts["embedding"]
    return Estimate(
        n_parameters=total,
        parameters=parts,
        weight_bytes=weight_bytes,
        optimizer_bytes=optimizer_bytes,
        activation_bytes=activation_bytes,
        memory_bytes=PROCESS_BYTES + weight_bytes + optimizer_bytes + activation_bytes,
        flops_per_token=6 * (used + attended),
    )


def activation_bytes_per_token(config: ModelConfig) -> int:
    """What a token keeps for the backward pass: streams, norms, projections, the SwiGLU, the logits."""
    heads = (2 * config.n_heads + 4 * config.n_kv_heads) * config.head_width
    halves = 2 * heads + 4 * config.feed_forward_width
    layer = FLOAT32_BYTES * 6 * config.width + BFLOAT16_BYTES * halves
    return config.n_layers * layer + LOGIT_BYTES * config.vocab_size
