"""A model folder as a folder that Hugging Face's ``transformers`` opens as Qwen3, tokenizer included.

    config.json  generation_config.json  model.safetensors      Qwen3ForCausalLM
    tokenizer.json  tokenizer_config.json                       PreTrainedTokenizerFast
    README.md                                                   model card

What lives here: what each file holds. What does not: the card's text (``card.py``). Nothing here loads torch or
transformers; the tests compare with the latter.

Qwen3 has a learned gain in every norm. Where ours has the constant 1, or a constant gain on queries and keys, the
export holds that constant; on queries and keys it stands before the rotation, with which a constant commutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from fakesmrt_models.architecture.config import ModelConfig, beyond_qwen3, n_parameters
from fakesmrt_models.export.card import TrainingLicence, model_card
from fakesmrt_models.mixing.folders import folder_written_whole
from fakesmrt_models.mixing.members import (
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    Member,
    inspect_member,
    opened_weights,
)
from fakesmrt_models.training.model_folder import canonical_json, read_manifest
from warehouse.errors import CorruptArtefact, InvalidConfiguration
from warehouse.files import write_bytes_whole, written_whole
from warehouse.tokens.tokenizer import DOCUMENT_MARKER, DOCUMENT_MARKER_ID, Tokenizer, with_marker_in_front

ARCHITECTURE = "Qwen3ForCausalLM"

Weights = NDArray[np.float32]

LAYER_NAMES = {
    "attention_norm": "input_layernorm",
    "attention.q_proj": "self_attn.q_proj",
    "attention.k_proj": "self_attn.k_proj",
    "attention.v_proj": "self_attn.v_proj",
    "attention.o_proj": "self_attn.o_proj",
    "feed_forward_norm": "post_attention_layernorm",
    "feed_forward.gate_proj": "mlp.gate_proj",
    "feed_forward.up_proj": "mlp.up_proj",
    "feed_forward.down_proj": "mlp.down_proj",
}
"""Modules of one of our blocks and of one of Qwen3's."""


@dataclass(frozen=True)
class Export:
    """What was written.

    Attributes:
        folder: where it lies.
        n_parameters: trained ones.
        n_stored: numbers in model.safetensors, the constant gains included.
    """

    folder: Path
    n_parameters: int
    n_stored: int


def export_huggingface(
    model: Path,
    output: Path,
    *,
    known_licences: Callable[[str], Sequence[TrainingLicence]] | None = None,
    licence: str | None = None,
) -> Export:
    """Write a model as a folder that ``transformers`` opens.

    Args:
        model: a model folder, or the folder of a training that ended with one.
        output: folder to be made.
        known_licences: gives, for the SHA-256 of its weights, the licences of what the model was trained on,
            or nothing where they are not known; without it nothing is known.
        licence: of the model itself, as SPDX writes it; None states none.

    Raises:
        InputUnreadable: there is no model at `model`.
        CorruptArtefact: its files do not hold what they should.
        InvalidConfiguration: it is an ensemble, has a part that Qwen3 lacks, or `output` exists.
    """
    member = inspect_member(model)
    require_qwen3(member.config, member.folder)
    tokenizer = exported_tokenizer(member)
    tensors = qwen3_tensors(member)
    licences = known_licences(member.weights_sha256) if known_licences else ()
    card = model_card(member.config, read_manifest(member.folder), licences, licence)
    with folder_written_whole(output) as partial:
        with written_whole(partial / WEIGHTS_FILE) as weights_path:
            # transformers asks for this word before it reads the file.
            save_file(tensors, weights_path, metadata={"format": "pt"})
        files = {
            "config.json": canonical_json(qwen3_config(member.config)),
            "generation_config.json": canonical_json(generation_config(member.config, tokenizer.vocab_size)),
            "tokenizer.json": with_marker_in_front(tokenizer.data),
            "tokenizer_config.json": canonical_json(tokenizer_config(member.config)),
            "README.md": card.encode(),
        }
        for name, data in files.items():
            write_bytes_whole(partial / name, data)
    n_stored = sum(tensor.size for tensor in tensors.values())
    return Export(output, n_parameters(member.config), n_stored)


def require_qwen3(config: ModelConfig, folder: Path) -> None:
    """Raise `InvalidConfiguration`, naming them, if the shape has parts that Qwen3 cannot express."""
    parts = beyond_qwen3(config)
    if parts:
        raise InvalidConfiguration(
            f"{folder} has what Qwen3 cannot express: {', '.join(parts)}",
            "Train a model without it to export it",
        )


def exported_tokenizer(member: Member) -> Tokenizer:
    """The model's tokenizer; raises `CorruptArtefact` if it is another one's."""
    tokenizer = Tokenizer.from_file(member.folder / TOKENIZER_FILE)
    stated = read_manifest(member.folder).get("tokenizer_sha256", member.tokenizer_sha256)
    if member.tokenizer_sha256 != stated or tokenizer.vocab_size > member.config.vocab_size:
        raise CorruptArtefact(
            f"{member.folder / TOKENIZER_FILE} is not the tokenizer of this model", "Copy the model again"
        )
    return tokenizer


def qwen3_config(config: ModelConfig) -> dict[str, Any]:
    """The content of Hugging Face's config.json."""
    window = config.sliding_window
    kind = "full_attention" if window is None else "sliding_attention"
    return {
        "architectures": [ARCHITECTURE],
        "model_type": "qwen3",
        "dtype": "float32",
        "vocab_size": config.vocab_size,
        "hidden_size": config.width,
        "intermediate_size": config.feed_forward_width,
        "num_hidden_layers": config.n_layers,
        "num_attention_heads": config.n_heads,
        "num_key_value_heads": config.n_kv_heads,
        "head_dim": config.head_width,
        "hidden_act": "silu",
        "max_position_embeddings": config.context_length,
        "rms_norm_eps": config.norm_epsilon,
        "tie_word_embeddings": config.tied_embeddings,
        # The first is read by versions before 5 and by llama.cpp, the second by later ones.
        "rope_theta": config.rope_theta,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
        "attention_bias": False,
        "attention_dropout": 0.0,
        "use_sliding_window": window is not None,
        "sliding_window": window,
        # Qwen3 leaves the first `max_window_layers` without a window.
        "max_window_layers": config.n_layers if window is None else 0,
        "layer_types": [kind] * config.n_layers,
        "bos_token_id": DOCUMENT_MARKER_ID,
        "eos_token_id": None,
        "pad_token_id": DOCUMENT_MARKER_ID,
    }


def generation_config(config: ModelConfig, n_token_ids: int) -> dict[str, Any]:
    """The content of generation_config.json: like ``fakesmrt generate``, never the marker or an id without a token.

    Args:
        config: the model's shape.
        n_token_ids: of the tokenizer, at most the model's vocabulary.
    """
    return {
        "bos_token_id": DOCUMENT_MARKER_ID,
        "pad_token_id": DOCUMENT_MARKER_ID,
        "suppress_tokens": [DOCUMENT_MARKER_ID, *range(n_token_ids, config.vocab_size)],
    }


def tokenizer_config(config: ModelConfig) -> dict[str, Any]:
    """The content of tokenizer_config.json: the marker stands before every text, and its spelling in a text is text."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": DOCUMENT_MARKER,
        "pad_token": DOCUMENT_MARKER,
        "add_bos_token": True,
        "split_special_tokens": True,
        "clean_up_tokenization_spaces": False,
        # What is generated stands at the end, so what fills a batch up stands before.
        "padding_side": "left",
        "model_max_length": config.context_length,
    }


def qwen3_name(name: str) -> str:
    """Qwen3's name of one of our tensors; one that Qwen3 does not have keeps ours."""
    outer = {"embedding": "model.embed_tokens", "final_norm": "model.norm", "output": "lm_head"}
    module = name.removesuffix(".weight")
    if module in outer:
        return f"{outer[module]}.weight"
    room, _, rest = module.partition(".")
    number, _, inner = rest.partition(".")
    if room != "layers" or inner not in LAYER_NAMES:
        return name
    return f"model.layers.{number}.{LAYER_NAMES[inner]}.weight"


def constant_gains(config: ModelConfig) -> Iterator[tuple[str, Weights]]:
    """Name and value of the gains that Qwen3 stores and our model has as constants."""
    for layer in range(config.n_layers):
        for norm in ("q_norm", "k_norm"):
            gain = np.full(config.head_width, config.query_key_gain, np.float32)
            yield f"model.layers.{layer}.self_attn.{norm}.weight", gain
        if not config.norm_weights:
            for norm in ("input_layernorm", "post_attention_layernorm"):
                yield f"model.layers.{layer}.{norm}.weight", np.ones(config.width, np.float32)
    if not config.norm_weights:
        yield "model.norm.weight", np.ones(config.width, np.float32)


def qwen3_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor that Qwen3 stores in this shape."""
    width, hidden = config.width, config.feed_forward_width
    query_width, key_width = config.n_heads * config.head_width, config.n_kv_heads * config.head_width
    block: dict[str, tuple[int, ...]] = {
        "input_layernorm": (width,),
        "self_attn.q_proj": (query_width, width),
        "self_attn.k_proj": (key_width, width),
        "self_attn.v_proj": (key_width, width),
        "self_attn.o_proj": (width, query_width),
        "self_attn.q_norm": (config.head_width,),
        "self_attn.k_norm": (config.head_width,),
        "post_attention_layernorm": (width,),
        "mlp.gate_proj": (hidden, width),
        "mlp.up_proj": (hidden, width),
        "mlp.down_proj": (width, hidden),
    }
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (config.vocab_size, width),
        "model.norm.weight": (width,),
    }
    for layer in range(config.n_layers):
        shapes |= {f"model.layers.{layer}.{name}.weight": shape for name, shape in block.items()}
    return shapes if config.tied_embeddings else shapes | {"lm_head.weight": (config.vocab_size, width)}


def qwen3_tensors(member: Member) -> dict[str, Weights]:
    """The weights under Qwen3's names; raises `CorruptArtefact` if they are not those of the configuration."""
    tensors = dict(constant_gains(member.config))
    with opened_weights(member.folder) as weights:
        tensors |= {qwen3_name(name): weights.get_tensor(name) for name in member.shapes}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    differing = sorted(set(found.items()) ^ set(qwen3_shapes(member.config).items()))
    if differing:
        raise CorruptArtefact(
            f"{member.folder / WEIGHTS_FILE} has not the tensors of config.json: {differing[0][0]}",
            "Copy both files from the same model",
        )
    return tensors
