"""Cross-entropy straight from the last hidden vectors: logits exist for one chunk of tokens at a time.

The gradients are made on the way forwards, while a chunk's logits are in the cache (the idea of Liger Kernel's
fused linear cross-entropy, Hsu et al. 2024, arXiv 2410.10989). What lives here: the operator as torch and its
compiler see it. What does not: a row's arithmetic (``cross_entropy.cpp``).
"""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from fakesmrt_models.kernels.attention import require_native
from fakesmrt_models.kernels.build import library
from warehouse.errors import InvalidConfiguration

CHUNK_BYTES = 8 << 20
"""Of one chunk's logits: large enough for the matrix products, small enough for the cache (measured)."""


def chunk_rows(vocab_size: int, dtype: torch.dtype) -> int:
    """How many tokens' logits are held at once."""
    return max(64, CHUNK_BYTES // (vocab_size * dtype.itemsize))


def linear_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Mean nats a token of softmax(hidden weight^T).

    Args:
        hidden: float32 or bfloat16 [N, width].
        weight: float32, the output matrix [vocab_size, width]; used in the type of `hidden`.
        targets: int64 [N].

    Returns:
        float32 scalar.

    Raises:
        InvalidConfiguration: other types, tensors that are not in the processor's memory, or a target that is no word.
    """
    loss: Tensor = _linear_cross_entropy(hidden, weight, targets)[0]
    return loss


def prepare() -> None:
    """Build the native loss; raises `TrainingFailed` where that cannot be."""
    _library()


@torch.library.custom_op("fakesmrt::linear_cross_entropy", mutates_args=())
def _linear_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The loss and its gradients by `hidden` and `weight`; the latter is summed over chunks in float32."""
    hidden, matrix, targets = hidden.contiguous(), weight.to(hidden.dtype), targets.contiguous()
    _require_targets(hidden, matrix, targets)
    n_tokens, vocab_size = hidden.shape[0], weight.shape[0]
    hidden_gradient = torch.empty_like(hidden)
    weight_gradient = torch.zeros(weight.shape, dtype=torch.float32)
    losses = torch.empty(n_tokens, dtype=torch.float32)
    n_rows = chunk_rows(vocab_size, hidden.dtype)
    logits = hidden.new_empty(min(n_rows, n_tokens), vocab_size)
    for start in range(0, n_tokens, n_rows):
        rows = hidden[start : start + n_rows]
        chunk = torch.mm(rows, matrix.t(), out=logits[: len(rows)])
        _library().cross_entropy(
            int(hidden.dtype == torch.bfloat16),
            _pointer(chunk),
            _pointer(targets[start:]),
            ctypes.c_int64(len(rows)),
            ctypes.c_int64(vocab_size),
            ctypes.c_float(1.0 / n_tokens),
            _pointer(losses[start:]),
        )
        torch.mm(chunk, matrix, out=hidden_gradient[start : start + n_rows])
        weight_gradient += torch.mm(chunk.t(), rows)
    return losses.mean(), hidden_gradient, weight_gradient


@_linear_cross_entropy.register_fake
def _like(hidden: Tensor, weight: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    del targets
    loss = hidden.new_empty((), dtype=torch.float32)
    return loss, torch.empty_like(hidden), torch.empty_like(weight, dtype=torch.float32)


def _keep(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]  # torch names no type for it
    del inputs
    ctx.save_for_backward(*output[1:])


def _differentiate(ctx, gradient, *unused):  # type: ignore[no-untyped-def]  # torch names no type for it
    del unused
    hidden_gradient, weight_gradient = ctx.saved_tensors
    return hidden_gradient * gradient.to(hidden_gradient.dtype), weight_gradient * gradient, None


_linear_cross_entropy.register_autograd(_differentiate, setup_context=_keep)


def _require_targets(hidden: Tensor, matrix: Tensor, targets: Tensor) -> None:
    """Native code writes at the targets: they must lie within the logits."""
    require_native(hidden)
    if (
        targets.dtype != torch.int64
        or targets.shape != hidden.shape[:1]
        or hidden.shape[1] != matrix.shape[1]
    ):
        raise InvalidConfiguration(
            "Hidden vectors, output matrix and targets do not fit", "Give one target each"
        )
    if len(targets) and not 0 <= int(targets.min()) <= int(targets.max()) < len(matrix):
        raise InvalidConfiguration(
            f"A target is no word of a vocabulary of {len(matrix)}", "Train on tokens of this vocabulary"
        )


def _library() -> ctypes.CDLL:
    return library("cross_entropy.cpp")


def _pointer(tensor: Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.data_ptr())
