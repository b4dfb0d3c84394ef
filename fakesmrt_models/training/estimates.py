"""What a preset costs before it is trained: parameters, memory by component, operations.

What lives here: arithmetic on a configuration. What does not: a measurement (``measured_speed.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from fakesmrt_models.architecture.config import ModelConfig, n_parameters, parameters_by_component
from fakesmrt_models.training.utilisation import flops_per_token

FLOAT32_BYTES = 4
BFLOAT16_BYTES = 2

EAGER_PROCESS_BYTES = 330 << 20
COMPILED_PROCESS_BYTES = 440 << 20
"""Python with torch loaded and its libraries at work, uncompiled and with torch's compiler (measured)."""

HEAP_FACTOR = 1.3
"""Memory held over memory in use, where tensors of a few megabytes come and go in another order each (measured)."""

RETAINED_SHARE = 0.4
"""Of the smaller of a step's and an evaluation's memory: what their heaps keep when the other works (measured)."""

LOGIT_CHUNK_BYTES = 8 << 20
"""Native code holds the logits of one chunk of tokens (``kernels/cross_entropy.py``)."""

LOGIT_BYTES = 20
"""Without native code a logit lives as product, float32 and logarithm, with the gradients of two of them."""

EVALUATION_TOKENS = 2_048
"""Of the batch, one a thread, in which the validation sample is measured (``evaluation/bits_per_byte.py``)."""


@dataclass(frozen=True, kw_only=True)
class StepShape:
    """How a model is trained, as far as it costs memory.

    Attributes:
        batch_size: sequences that pass at once: of a step, or of a micro-batch.
        sequence_length: tokens of one.
        compiled: whether torch compiles the step.
        native: whether attention and loss go through native code.
        product_bytes: of a number in the matrix products: 2 in bfloat16, 4 in float32.
        gradient_checkpointing: whether blocks are computed again in the backward pass.
        averaged: whether a moving average of the weights is kept.
        threads: of the processor.
    """

    batch_size: int
    sequence_length: int
    compiled: bool = True
    native: bool = True
    product_bytes: int = BFLOAT16_BYTES
    gradient_checkpointing: bool = False
    averaged: bool = False
    threads: int = 2

    @property
    def n_tokens(self) -> int:
        """Tokens that pass at once."""
        return self.batch_size * self.sequence_length


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bytes of each component at its largest; not all are at their largest at once.

    Attributes:
        process: Python, torch and its compiler; training tokens, which are mapped, come on top.
        weights: in float32.
        gradients: in float32.
        optimizer: Muon's momentum and AdamW's two moments.
        update: what Muon holds while it updates the largest stack of matrices.
        average: of the weights.
        activations: kept for the backward pass, and the gradients of one block.
        logits: with the loss and its gradients.
        evaluation: of the validation sample, when nothing is kept for a backward pass.
    """

    process: int
    weights: int
    gradients: int
    optimizer: int
    update: int
    average: int
    activations: int
    logits: int
    evaluation: int

    def peak(self) -> int:
        """Bytes at the largest moment: in the backward pass or the update, or in an evaluation between steps."""
        lasting = self.process + self.weights + self.optimizer + self.average
        step = max(self.activations + self.logits, self.gradients + self.update)
        kept = round(RETAINED_SHARE * min(step, self.evaluation))
        return lasting + max(step, self.evaluation) + kept


@dataclass(frozen=True)
class Estimate:
    """The cost of a training step.

    Attributes:
        n_parameters: trainable ones.
        parameters: the same by component.
        memory: bytes by component.
        memory_bytes: at the largest moment, the process included.
        flops_per_token: floating-point operations, forward and backward, attention included.
    """

    n_parameters: int
    parameters: dict[str, int]
    memory: Memory
    memory_bytes: int
    flops_per_token: int


def estimate(config: ModelConfig, shape: StepShape) -> Estimate:
    """Estimate the training of `config` in steps of `shape`."""
    memory = estimated_memory(config, shape)
    return Estimate(
        n_parameters=n_parameters(config),
        parameters=parameters_by_component(config),
        memory=memory,
        memory_bytes=memory.peak(),
        flops_per_token=flops_per_token(config, shape.sequence_length),
    )


def estimated_memory(config: ModelConfig, shape: StepShape) -> Memory:
    """Memory by component."""
    parts = parameters_by_component(config)
    total = n_parameters(config)
    matrices = parts["attention"] + parts["feed_forward"]
    return Memory(
        process=COMPILED_PROCESS_BYTES if shape.compiled else EAGER_PROCESS_BYTES,
        weights=FLOAT32_BYTES * total,
        gradients=FLOAT32_BYTES * total,
        optimizer=FLOAT32_BYTES * (matrices + 2 * (total - matrices)),
        update=update_bytes(config),
        average=FLOAT32_BYTES * total if shape.averaged else 0,
        activations=round(HEAP_FACTOR * shape.n_tokens * activation_bytes_per_token(config, shape)),
        logits=logit_bytes(config, shape),
        evaluation=shape.threads * evaluation_bytes(config),
    )


def activation_bytes_per_token(config: ModelConfig, shape: StepShape) -> int:
    """What a token holds at the start of the backward pass: everything kept, and the gradients of one block."""
    kept = block_bytes_per_token(config, shape)
    stream = FLOAT32_BYTES * config.width
    ends = stream + 2 * shape.product_bytes * config.width
    gradients = 2 * stream + shape.product_bytes * config.feed_forward_width
    if shape.gradient_checkpointing:
        return config.n_layers * stream + kept + ends + gradients
    return config.n_layers * kept + ends + gradients


def block_bytes_per_token(config: ModelConfig, shape: StepShape) -> int:
    """What a block keeps of a token: two states of the residual stream, and the factors of the matrix products."""
    heads = config.n_heads + 2 * config.n_kv_heads
    attention = (heads + config.n_heads) * config.head_width
    if not shape.native:
        # Queries and keys also before and after QK-norm and rotation.
        attention += 3 * (config.n_heads + config.n_kv_heads) * config.head_width
    hidden = feed_forward_units(config, compiled=shape.compiled)
    products = 2 * config.width + attention + hidden * config.feed_forward_width
    return 2 * FLOAT32_BYTES * config.width + shape.product_bytes * products


def feed_forward_units(config: ModelConfig, *, compiled: bool) -> int:
    """Numbers kept for each hidden unit: for SwiGLU gate, up, product, and silu unless it is computed again."""
    if config.feed_forward == "swiglu":
        return 3 if compiled else 4
    return 2


def logit_bytes(config: ModelConfig, shape: StepShape) -> int:
    """Logits of one chunk with the gradient of the output matrix, or those of all tokens."""
    if not shape.native:
        return shape.n_tokens * config.vocab_size * LOGIT_BYTES
    matrix = config.vocab_size * config.width
    return LOGIT_CHUNK_BYTES + matrix * (FLOAT32_BYTES + 2 * shape.product_bytes)


def update_bytes(config: ModelConfig) -> int:
    """Momenta of the largest stack of equal matrices, once as numbers to be orthogonalised and once as updates."""
    n_equal = 2 if config.feed_forward == "swiglu" else 1
    stack = n_equal * config.n_layers * config.width * config.feed_forward_width
    return 2 * FLOAT32_BYTES * stack


def evaluation_bytes(config: ModelConfig) -> int:
    """Of one thread: logits and their logarithms, and one block's states, in float32."""
    n_tokens = max(config.context_length, EVALUATION_TOKENS)
    block = 4 * config.width + 3 * config.feed_forward_width
    return FLOAT32_BYTES * n_tokens * (2 * config.vocab_size + block)
