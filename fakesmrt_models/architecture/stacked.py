"""Several models of one shape as one batched model: every matrix product is done for all of them at once.

What lives here: the forward pass of the whole stack. What does not: the models, which keep their own parameters, and
with them their own optimisers and checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from fakesmrt_models.architecture.transformer import Transformer
from warehouse.errors import InvalidConfiguration


def stacked_hidden(models: Sequence[Transformer], tokens: Tensor) -> Tensor:
    """The last hidden vectors of every model on its own tokens, equal to those of each model alone up to rounding.

    Gradients of a sum over the models reach each model's own parameters as if it were alone.

    Args:
        models: of one shape, on one device.
        tokens: int64 [n_models, B, T].

    Returns:
        [n_models, B, T, width] in the models' compute type, as `Transformer.hidden` gives them.

    Raises:
        InvalidConfiguration: the shapes of the models differ, or their number is not that of the batches.
    """
    if any(model.config != models[0].config for model in models) or len(models) != len(tokens):
        raise InvalidConfiguration(
            f"{len(models)} models and {len(tokens)} batches cannot be stacked",
            "Give models of one shape, and a batch for each",
        )
    body = _Body(models[0])

    def one(parameters: Mapping[str, Tensor], batch: Tensor) -> Tensor:
        hidden: Tensor = functional_call(body, dict(parameters), (batch,))
        return hidden

    hidden: Tensor = torch.vmap(one, randomness="different")(_stacked_parameters(models), tokens)
    return hidden


def stacked_logits(models: Sequence[Transformer], tokens: Tensor) -> Tensor:
    """Logits [n_models, B, T, vocab_size]; arguments and errors as of `stacked_hidden`."""
    hidden = stacked_hidden(models, tokens)
    return torch.stack([model.logits(own) for model, own in zip(models, hidden, strict=True)])


class _Body(nn.Module):
    """A transformer up to its last hidden vectors."""

    def __init__(self, model: Transformer) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor) -> Tensor:
        return self.model.hidden(tokens)


def _stacked_parameters(models: Sequence[Transformer]) -> dict[str, Tensor]:
    """Each parameter of all models as one tensor [n_models, ...]."""
    named = [dict(model.named_parameters()) for model in models]
    return {f"model.{name}": torch.stack([own[name] for own in named]) for name in named[0]}
