"""The native attention equals the same arithmetic in torch, forwards and backwards."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from fakesmrt_models.architecture.attention import attention_mask
from fakesmrt_models.architecture.rotary import rotary_table, rotate
from fakesmrt_models.kernels.attention import AttentionShape, attend
from fakesmrt_models.kernels.build import compiler
from warehouse.errors import InvalidConfiguration

pytestmark = pytest.mark.skipif(compiler() is None, reason="native code needs a C++ compiler")

EPSILON = 1e-6


def reference(projected: Tensor, table: Tensor, shape: AttentionShape) -> Tensor:
    heads = [shape.n_heads, shape.n_kv_heads, shape.n_kv_heads]
    queries, keys, values = torch.split(projected, heads, dim=2)

    def turned(x: Tensor) -> Tensor:
        if shape.query_key_gain is not None:
            x = F.rms_norm(x, (x.shape[-1],), None, shape.epsilon) * shape.query_key_gain
        return rotate(x, table).transpose(1, 2)

    group = shape.n_heads // shape.n_kv_heads
    keys, values = (x.repeat_interleave(group, dim=1) for x in (turned(keys), values.transpose(1, 2)))
    scores = turned(queries) @ keys.mT / projected.shape[3] ** 0.5
    length = projected.shape[1]
    scores = scores.masked_fill(~attention_mask(length, length, shape.window), -torch.inf)
    attended: Tensor = (scores.softmax(-1) @ values).transpose(1, 2)
    return attended


def shape_of(n_heads: int, n_kv_heads: int, window: int | None, gain: float | None) -> AttentionShape:
    return AttentionShape(n_heads, n_kv_heads, window, gain, EPSILON)


SHAPES = {
    "1mx": (2, 256, 32, shape_of(4, 2, None, 1.2)),
    "one-token": (1, 1, 32, shape_of(2, 1, None, 1.2)),
    "odd-length": (3, 77, 32, shape_of(4, 4, None, 1.2)),
    "window": (2, 100, 32, shape_of(4, 2, 20, 1.2)),
    "window-of-one": (1, 40, 32, shape_of(2, 2, 1, 1.2)),
    "wide-heads": (2, 50, 64, shape_of(3, 1, None, 1.2)),
    "widest-heads": (1, 35, 128, shape_of(2, 1, None, 1.2)),
    "no-norm": (2, 64, 32, shape_of(2, 1, None, None)),
    "sharp": (2, 64, 32, shape_of(2, 1, None, 4.0)),
}


def inputs(name: str) -> tuple[Tensor, Tensor, Tensor, AttentionShape]:
    n_sequences, length, head_width, shape = SHAPES[name]
    generator = torch.Generator().manual_seed(0)
    n_heads = shape.n_heads + 2 * shape.n_kv_heads
    projected = torch.randn(n_sequences, length, n_heads, head_width, generator=generator)
    gradient = torch.randn(n_sequences, length, shape.n_heads, head_width, generator=generator)
    return projected, rotary_table(length, head_width, 10_000.0), gradient, shape


def both(name: str, dtype: torch.dtype) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Result and gradient by native code in `dtype`, and by the reference in float64 on the same numbers."""
    projected, table, gradient, shape = inputs(name)
    native = projected.to(dtype).detach().requires_grad_()
    attended = attend(native, table, shape)
    torch.autograd.backward(attended, gradient.to(dtype))
    exact = projected.to(dtype).detach().double().requires_grad_()
    expected = reference(exact, table.double(), shape)
    torch.autograd.backward(expected, gradient.to(dtype).double())
    assert native.grad is not None
    assert exact.grad is not None
    return (attended.detach(), native.grad), (expected.detach(), exact.grad)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_result_and_gradient_equal_the_reference(name: str) -> None:
    (attended, gradient), (expected, expected_gradient) = both(name, torch.float32)

    torch.testing.assert_close(attended.double(), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gradient.double(), expected_gradient, atol=1e-4, rtol=1e-4)


def test_bfloat16_differs_only_by_its_rounding() -> None:
    (attended, gradient), (expected, expected_gradient) = both("1mx", torch.bfloat16)

    assert attended.dtype == gradient.dtype == torch.bfloat16
    torch.testing.assert_close(attended.double(), expected, atol=2**-8, rtol=2**-8)
    torch.testing.assert_close(gradient.double(), expected_gradient, atol=2**-6, rtol=2**-6)


def test_the_number_of_threads_changes_no_bit() -> None:
    projected, table, gradient, shape = inputs("1mx")
    before = torch.get_num_threads()
    results = []
    for n_threads in (1, 2):
        torch.set_num_threads(n_threads)
        leaf = projected.clone().requires_grad_()
        attended = attend(leaf, table, shape)
        torch.autograd.backward(attended, gradient)
        results.append((attended, leaf.grad))
    torch.set_num_threads(before)

    assert all(torch.equal(one, two) for one, two in zip(*results, strict=True))


def test_what_is_not_a_number_is_not_hidden() -> None:
    projected, table, _, shape = inputs("odd-length")
    projected[0, 10, shape.n_heads] = torch.nan

    attended = attend(projected, table, shape)

    assert attended[0, :10].isfinite().all()
    assert attended[0, 10:, 0].isnan().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_a_type_that_native_code_cannot_read_is_refused(dtype: torch.dtype) -> None:
    projected, table, _, shape = inputs("odd-length")

    with pytest.raises(InvalidConfiguration, match="bfloat16"):
        attend(projected.to(dtype), table, shape)


def test_a_table_of_other_positions_is_refused() -> None:
    projected, table, _, shape = inputs("odd-length")

    with pytest.raises(InvalidConfiguration, match="rotary table"):
        attend(projected, table[:, 1:], shape)
