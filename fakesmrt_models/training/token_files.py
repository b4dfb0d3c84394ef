"""The token files of a training: opened, proved, and found fit for its model before the first step.

What lives here: every refusal of token files, each with its cause. What does not: those that need only their
manifests (``prerequisites.py``), the order in which they are read (``data.py``), and the shards themselves
(``warehouse/tokens/shards.py``).
"""

from __future__ import annotations

from fakesmrt_models.training.data import TokenStream, validation_shards
from fakesmrt_models.training.prerequisites import require_vocabulary
from fakesmrt_models.training.request import TrainingRequest, request_config
from warehouse.errors import InputUnreadable
from warehouse.tokens.shards import open_split


def training_stream(request: TrainingRequest) -> TokenStream:
    """The training tokens in the order of this request, every byte of them read and compared with its hash.

    Raises:
        InputUnreadable: there are none, or fewer than a sequence holds.
        InvalidConfiguration: the model knows fewer tokens than the tokenizer has.
        CorruptArtefact: a file is truncated, damaged, empty, of another tokenizer or of another vocabulary than
            its manifest says, or its index points outside of it.
    """
    shards = open_split(request.tokens, "train", verify=True)
    held_out = validation_shards(request.tokens)
    require_vocabulary(request.tokens, [*shards, *held_out], request_config(request))
    stream = TokenStream(shards, request.seed, request.bootstrap_seed)
    require_sequence(stream, request)
    return stream


def require_sequence(stream: TokenStream, request: TrainingRequest) -> None:
    """An epoch fills a sequence and its last target: a shorter one would be repeated within the sequence.

    Raises:
        InputUnreadable: it does not.
    """
    if stream.n_tokens <= request.sequence_length:
        raise InputUnreadable(
            f"The training text in {request.tokens} has {stream.n_tokens:,} tokens, too few for a sequence of "
            f"{request.sequence_length:,} and the token after it",
            "Add more text, or train with a shorter sequence length",
        )
