"""The native loss equals torch's cross-entropy of the same logits, with its gradients."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from fakesmrt_models.kernels.build import compiler
from fakesmrt_models.kernels.cross_entropy import chunk_rows, linear_cross_entropy
from warehouse.errors import InvalidConfiguration

pytestmark = pytest.mark.skipif(compiler() is None, reason="native code needs a C++ compiler")


@pytest.mark.parametrize("vocab_size", [7, 512, 2_050])
@pytest.mark.parametrize("n_tokens", [1, 100, 1_500])
def test_loss_and_gradients_equal_those_of_whole_logits(n_tokens: int, vocab_size: int) -> None:
    torch.manual_seed(0)
    hidden = torch.randn(n_tokens, 64, requires_grad=True)
    weight = torch.randn(vocab_size, 64, requires_grad=True)
    targets = torch.randint(vocab_size, (n_tokens,))

    native = linear_cross_entropy(hidden, weight, targets)
    gradients = torch.autograd.grad(2 * native, (hidden, weight))
    whole = F.cross_entropy(hidden.double() @ weight.double().T, targets)
    expected = torch.autograd.grad(2 * whole, (hidden, weight))

    torch.testing.assert_close(native.double(), whole, atol=1e-5, rtol=1e-5)
    for found, wanted in zip(gradients, expected, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-4)


def test_more_tokens_than_a_chunk_holds_are_summed_over_the_chunks() -> None:
    vocab_size = 16_384
    n_tokens = 2 * chunk_rows(vocab_size, torch.float32) + 3
    torch.manual_seed(0)
    hidden, weight = torch.randn(n_tokens, 8), torch.randn(vocab_size, 8, requires_grad=True)
    targets = torch.randint(vocab_size, (n_tokens,))

    native = linear_cross_entropy(hidden, weight, targets)
    whole = F.cross_entropy(hidden @ weight.T, targets)

    torch.testing.assert_close(native, whole)
    torch.testing.assert_close(
        torch.autograd.grad(native, weight)[0], torch.autograd.grad(whole, weight)[0], atol=1e-7, rtol=1e-4
    )


def test_bfloat16_differs_only_by_its_rounding() -> None:
    torch.manual_seed(0)
    hidden = torch.randn(300, 64, dtype=torch.bfloat16)
    weight = torch.randn(512, 64, requires_grad=True)
    targets = torch.randint(512, (300,))

    native = linear_cross_entropy(hidden, weight, targets)
    whole = F.cross_entropy(hidden.float() @ weight.to(torch.bfloat16).float().T, targets)

    torch.testing.assert_close(native, whole, atol=0.02, rtol=0.0)
    found, wanted = (torch.autograd.grad(loss, weight)[0] for loss in (native, whole))
    assert (found - wanted).norm() < 0.01 * wanted.norm()


def test_logits_beyond_what_an_exponential_holds_are_no_trouble() -> None:
    hidden, weight = torch.full((2, 4), 100.0), torch.eye(4) * 100.0

    loss = linear_cross_entropy(hidden, weight, torch.tensor([0, 3]))

    torch.testing.assert_close(loss, torch.tensor(4.0).log())


@pytest.mark.parametrize("at", [0, 39])
def test_a_logit_that_is_not_a_number_is_not_hidden(at: int) -> None:
    weight = torch.ones(40, 2)
    weight[at] = torch.nan

    assert linear_cross_entropy(torch.ones(1, 2), weight, torch.tensor([1])).isnan()


@pytest.mark.parametrize("target", [-100, 40])
def test_a_target_that_is_no_word_is_refused(target: int) -> None:
    with pytest.raises(InvalidConfiguration, match="no word"):
        linear_cross_entropy(torch.ones(1, 2), torch.ones(40, 2), torch.tensor([target]))


def test_a_type_that_native_code_cannot_read_is_refused() -> None:
    with pytest.raises(InvalidConfiguration, match="float64"):
        linear_cross_entropy(torch.ones(1, 2).double(), torch.ones(40, 2), torch.tensor([1]))
