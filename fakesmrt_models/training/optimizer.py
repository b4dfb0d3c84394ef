"""Muon for the matrices inside the blocks, AdamW for everything else.

Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks") replaces a matrix's
momentum by its nearest semi-orthogonal matrix, approximately, by a quintic Newton-Schulz iteration.
`torch.optim.Muon` does the same one matrix after another and always in bfloat16; here equal shapes are
stacked into one batched product and the number type is that of the processor, which matters at this size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from fakesmrt_models.training.request import OptimizerConfig

NEWTON_SCHULZ_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic, chosen for the steepest slope at zero (Jordan et al. 2024)."""

NEWTON_SCHULZ_STEPS = 5


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised; parameters must be matrices."""

    def __init__(self, params: Iterable[nn.Parameter], config: OptimizerConfig, dtype: torch.dtype) -> None:
        super().__init__(params, {"lr": config.matrix_learning_rate})
        self.config = config
        self.dtype = dtype

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # closures have no use here
        """Update every parameter from its gradient; one batched orthogonalisation for each shape."""
        del closure
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[nn.Parameter]] = {}
            for parameter in group["params"]:
                by_shape.setdefault(parameter.shape, []).append(parameter)
            for parameters in by_shape.values():
                self._step_stack(parameters, group["lr"])

    def _step_stack(self, parameters: list[nn.Parameter], learning_rate: float) -> None:
        updates = orthogonalised(torch.stack([self._momentum(p) for p in parameters]).to(self.dtype))
        # A tall matrix's update gets the root-mean-square of a square one's (Jordan et al. 2024).
        scale = learning_rate * math.sqrt(max(1.0, parameters[0].shape[0] / parameters[0].shape[1]))
        for parameter, update in zip(parameters, updates.to(torch.float32), strict=True):
            parameter.mul_(1.0 - learning_rate * self.config.weight_decay).add_(update, alpha=-scale)

    def _momentum(self, parameter: nn.Parameter) -> Tensor:
        """Add the gradient to the moving average and look ahead (Nesterov)."""
        if parameter.grad is None:
            return torch.zeros_like(parameter)
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        average: Tensor = state["momentum"]
        average.lerp_(parameter.grad, 1.0 - self.config.momentum)
        return parameter.grad.lerp(average, self.config.momentum)


def orthogonalised(stack: Tensor) -> Tensor:
    """Approximate U V^T of each matrix U S V^T of `stack` [n, rows, columns], by Newton-Schulz iteration.

    Singular values that are not tiny end between about 0.7 and 1.2, which serves as well as 1.
    """
    tall = stack.shape[1] > stack.shape[2]
    x = stack.mT if tall else stack
    # The Frobenius norm bounds the spectral norm, which must be at most 1 for the iteration to converge.
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = NEWTON_SCHULZ_COEFFICIENTS
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def parameter_groups(model: nn.Module) -> tuple[dict[str, nn.Parameter], dict[str, nn.Parameter]]:
    """The parameters by name, each exactly once: matrices inside the blocks for Muon, the rest for AdamW."""
    named = dict(model.named_parameters())
    matrices = {name: p for name, p in named.items() if p.ndim == 2 and name.startswith("layers.")}
    rest = {name: p for name, p in named.items() if name not in matrices}
    return matrices, rest


class Optimizer:
    """Both optimisers as one, with a state that is named tensors."""

    def __init__(self, model: nn.Module, config: OptimizerConfig, dtype: torch.dtype) -> None:
        matrices, rest = parameter_groups(model)
        self.config = config
        self._named = matrices | rest
        self._muon = Muon(matrices.values(), config, dtype)
        self._adamw = torch.optim.AdamW(
            rest.values(), lr=config.embedding_learning_rate, betas=config.betas, weight_decay=0.0, fused=True
        )

    def step(self, factor: float) -> None:
        """Update every parameter with `factor` times the stable learning rates, then forget the gradients."""
        self._muon.param_groups[0]["lr"] = factor * self.config.matrix_learning_rate
        self._adamw.param_groups[0]["lr"] = factor * self.config.embedding_learning_rate
        self._muon.step()
        self._adamw.step()
        self.forget_gradients()

    def forget_gradients(self) -> None:
        """Free every gradient."""
        for parameter in self._named.values():
            parameter.grad = None

    def state(self) -> dict[str, Tensor]:
        """Every tensor of the state, by name of parameter and of quantity."""
        return {
            f"{name}:{quantity}": tensor
            for name, parameter in self._named.items()
            for quantity, tensor in self._state_of(parameter).items()
        }

    def load_state(self, tensors: dict[str, Tensor]) -> None:
        """Take the state that `state` gave for a model of the same shape."""
        for key, tensor in tensors.items():
            name, quantity = key.rsplit(":", 1)
            self._state_of(self._named[name])[quantity] = tensor.clone()

    def _state_of(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        owner = self._muon if parameter in set(self._muon.param_groups[0]["params"]) else self._adamw
        state: dict[str, Tensor] = owner.state[parameter]
        return state
