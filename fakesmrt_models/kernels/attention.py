"""Attention from one matrix of queries, keys and values to its result, by native code (``attention.cpp``).

What lives here: the operator as torch and its compiler see it. What does not: which model uses it
(``architecture/attention.py``).
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import torch
from torch import Tensor

from fakesmrt_models.kernels.build import library
from warehouse.errors import InvalidConfiguration

HEAD_WIDTH_UNIT = 32
"""Head widths must be multiples of this: half a head fills whole vectors (vector.h)."""


@dataclass(frozen=True)
class AttentionShape:
    """What the operator needs to know beside its tensors.

    Attributes:
        n_heads: query heads.
        n_kv_heads: key and value heads, a divisor of n_heads.
        window: how many last positions a token attends to; None for all.
        query_key_gain: constant gain of QK-norm; None for no norm.
        epsilon: added to the mean square in QK-norm.
    """

    n_heads: int
    n_kv_heads: int
    window: int | None
    query_key_gain: float | None
    epsilon: float


class _Shape(ctypes.Structure):
    """`Shape` of attention.cpp."""

    _fields_ = (
        ("n_sequences", ctypes.c_int64),
        ("length", ctypes.c_int64),
        ("n_heads", ctypes.c_int64),
        ("n_kv_heads", ctypes.c_int64),
        ("window", ctypes.c_int64),
        ("query_key_gain", ctypes.c_float),
        ("epsilon", ctypes.c_float),
        ("scale", ctypes.c_float),
        ("normalised", ctypes.c_int32),
    )


def supported(head_width: int) -> bool:
    """Whether the native code covers heads of this width."""
    return head_width % HEAD_WIDTH_UNIT == 0


def require_native(tensor: Tensor) -> None:
    """Raise `InvalidConfiguration` for a tensor that native code cannot read."""
    if tensor.device.type != "cpu" or tensor.dtype not in {torch.float32, torch.bfloat16}:
        raise InvalidConfiguration(
            f"Native code reads float32 and bfloat16 in memory, not {tensor.dtype} on {tensor.device}",
            "Use plain torch for it",
        )


def prepare(head_width: int) -> None:
    """Build the native attention for heads of this width; raises `TrainingFailed` where that cannot be."""
    _library(head_width)


def attend(projected: Tensor, table: Tensor, shape: AttentionShape) -> Tensor:
    """Causal attention with QK-norm and rotation of queries and keys.

    Args:
        projected: float32 or bfloat16 [B, T, n_heads + 2 n_kv_heads, head_width]: queries, keys, values.
        table: float32 [2, T, head_width], cosines and sines.
        shape: of the heads.

    Returns:
        [B, T, n_heads, head_width], in the type of `projected`.

    Raises:
        InvalidConfiguration: other types or shapes, or tensors that are not in the processor's memory.
    """
    gain = 0.0 if shape.query_key_gain is None else shape.query_key_gain
    attended: Tensor = _attention(
        projected, table, shape.n_heads, shape.n_kv_heads, shape.window or projected.shape[1], gain,
        shape.epsilon,
    )[0]  # fmt: skip
    return attended


@torch.library.custom_op("fakesmrt::attention", mutates_args=())
def _attention(
    projected: Tensor, table: Tensor, n_heads: int, n_kv_heads: int, window: int, gain: float, epsilon: float
) -> tuple[Tensor, Tensor]:
    """The result, and the logarithm of each softmax's denominator [B, n_heads, T]; no gain is no norm."""
    require_native(projected)
    if table.dtype != torch.float32 or table.shape != (2, *projected.shape[1::2]):
        raise InvalidConfiguration(
            "The rotary table does not fit the heads", "Give cosines and sines in float32"
        )
    if projected.shape[2] != n_heads + 2 * n_kv_heads or not supported(projected.shape[3]):
        raise InvalidConfiguration(
            "The projection does not have these heads", "Give queries, keys and values"
        )
    projected, table = projected.contiguous(), table.contiguous()
    attended, log_sums = _outputs(projected, n_heads)
    _library(projected.shape[3]).attention_forward(
        ctypes.byref(_described(projected, n_heads, n_kv_heads, window, gain, epsilon)),
        int(projected.dtype == torch.bfloat16),
        *map(_pointer, (projected, table, attended, log_sums)),
    )
    return attended, log_sums


@_attention.register_fake
def _attention_like(
    projected: Tensor, table: Tensor, n_heads: int, n_kv_heads: int, window: int, gain: float, epsilon: float
) -> tuple[Tensor, Tensor]:
    del table, n_kv_heads, window, gain, epsilon
    return _outputs(projected, n_heads)


@torch.library.custom_op("fakesmrt::attention_backward", mutates_args=())
def _attention_backward(
    projected: Tensor, table: Tensor, attended: Tensor, log_sums: Tensor, gradient: Tensor,
    n_heads: int, n_kv_heads: int, window: int, gain: float, epsilon: float,
) -> Tensor:  # fmt: skip
    """The gradient of `projected` from that of the result."""
    projected, table, gradient = projected.contiguous(), table.contiguous(), gradient.contiguous()
    projected_gradient = torch.empty_like(projected)
    _library(projected.shape[3]).attention_backward(
        ctypes.byref(_described(projected, n_heads, n_kv_heads, window, gain, epsilon)),
        int(projected.dtype == torch.bfloat16),
        *map(_pointer, (projected, table, attended, log_sums, gradient, projected_gradient)),
    )
    return projected_gradient


@_attention_backward.register_fake
def _attention_backward_like(
    projected: Tensor, table: Tensor, attended: Tensor, log_sums: Tensor, gradient: Tensor,
    n_heads: int, n_kv_heads: int, window: int, gain: float, epsilon: float,
) -> Tensor:  # fmt: skip
    del table, attended, log_sums, gradient, n_heads, n_kv_heads, window, gain, epsilon
    return torch.empty_like(projected, memory_format=torch.contiguous_format)


def _keep(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]  # torch names no type for it
    projected, table, *ctx.shape = inputs
    ctx.save_for_backward(projected, table, *output)


def _differentiate(ctx, gradient, unused):  # type: ignore[no-untyped-def]  # torch names no type for it
    del unused
    saved = ctx.saved_tensors
    return _attention_backward(*saved, gradient, *ctx.shape), *[None] * 6


_attention.register_autograd(_differentiate, setup_context=_keep)


def _outputs(projected: Tensor, n_heads: int) -> tuple[Tensor, Tensor]:
    n_sequences, length, _, head_width = projected.shape
    attended = projected.new_empty(n_sequences, length, n_heads, head_width)
    return attended, projected.new_empty(n_sequences, n_heads, length, dtype=torch.float32)


def _described(
    projected: Tensor, n_heads: int, n_kv_heads: int, window: int, gain: float, epsilon: float
) -> _Shape:
    n_sequences, length, _, head_width = projected.shape
    return _Shape(
        n_sequences, length, n_heads, n_kv_heads, window, gain, epsilon, head_width**-0.5, int(gain != 0)
    )


def _library(head_width: int) -> ctypes.CDLL:
    return library("attention.cpp", f"HEAD_WIDTH={head_width}")


def _pointer(tensor: Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.data_ptr())
