"""What is exported, transformers reads as the same model: logits, continuations, token ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F
from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen3ForCausalLM
from transformers.utils import logging

from fakesmrt_models.architecture.config import ModelConfig, n_parameters
from fakesmrt_models.architecture.presets import PRESETS
from fakesmrt_models.architecture.transformer import Transformer, initialised
from fakesmrt_models.export.huggingface import export_huggingface
from fakesmrt_models.generation.sampling import Sampling, generate
from fakesmrt_models.training.checkpoint import load_model
from warehouse.errors import CorruptArtefact, InvalidConfiguration
from warehouse.tokens.tokenizer import DOCUMENT_MARKER, Tokenizer

MakeModel = Callable[..., Path]

logging.disable_progress_bar()

SMALL = PRESETS["56kx"]
LARGEST = 3_000_000
"""Parameters of the presets that are compared here; benchmarks/hf_parity.py takes any."""

SHAPES = {
    **{
        name: config
        for name, config in PRESETS.items()
        if n_parameters(config) < LARGEST and "relu2" not in name
    },
    "sliding window": replace(SMALL, sliding_window=5),
    "window of one": replace(SMALL, sliding_window=1),
    "head of its own": replace(SMALL, tied_embeddings=False),
    "learned gains": replace(SMALL, norm_weights=True, n_layers=2),
    "all heads, wide": replace(
        SMALL, n_heads=3, n_kv_heads=3, head_width=24, rope_theta=1e6, norm_epsilon=1e-5
    ),
    "long context": replace(SMALL, n_layers=6, context_length=2_048),
    "no gain on queries": replace(SMALL, query_key_gain=1.0),
}


def exported(folder: Path) -> Path:
    return export_huggingface(folder, folder.with_name("exported")).folder


def greatest_difference(ours: Transformer, theirs: Qwen3ForCausalLM, lengths: list[int]) -> float:
    """Of any logit, over two random sequences of each length."""
    generator = torch.Generator().manual_seed(1)
    differences = []
    with torch.inference_mode():
        for length in lengths:
            tokens = torch.randint(0, ours.config.vocab_size, (2, length), generator=generator)
            differences.append(float((ours(tokens) - theirs(tokens).logits).abs().max()))
    return max(differences)


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_logits_are_those_of_transformers(shape: str, model_of: MakeModel) -> None:
    config = SHAPES[shape]
    folder = model_of(config)
    theirs = AutoModelForCausalLM.from_pretrained(exported(folder))
    assert isinstance(theirs, Qwen3ForCausalLM)
    assert theirs.dtype == torch.float32
    lengths = [1, 2, config.context_length // 2 + 1, config.context_length]
    assert greatest_difference(load_model(folder).model, theirs, lengths) <= 1e-4


@pytest.mark.parametrize("weights", ["random", "trained"])
def test_continuations_are_those_of_transformers(
    weights: str, model_of: MakeModel, tokenizer_file: Path
) -> None:
    """Random weights often prefer what is never chosen: the marker, and ids that the tokenizer does not have."""
    folder = model_of(SMALL, trained(SMALL, tokenizer_file) if weights == "trained" else None)
    tokenizer, ours = Tokenizer.from_file(tokenizer_file), load_model(folder).model
    theirs = AutoModelForCausalLM.from_pretrained(exported(folder))
    their_tokenizer = AutoTokenizer.from_pretrained(folder.with_name("exported"))
    assert greatest_difference(ours, theirs, [64]) <= 1e-4
    for prompt in ("", "The", "a list of names, or", "  \n", DOCUMENT_MARKER):
        continued = generate([ours], tokenizer, prompt, 30, Sampling(temperature=0))
        encoded = their_tokenizer(prompt, return_tensors="pt")
        tokens = theirs.generate(**encoded, max_new_tokens=30, do_sample=False)[
            0, encoded["input_ids"].shape[1] :
        ]
        assert their_tokenizer.decode(tokens) == continued.text


def trained(config: ModelConfig, tokenizer_file: Path) -> Transformer:
    """A few steps of gradient descent on a sentence."""
    model = initialised(config, 0)
    optimizer = torch.optim.AdamW(model.parameters(), 0.01)
    sentence = Tokenizer.from_file(tokenizer_file).encode(
        "The list of names, or a name in the list, and so on. " * 9
    )
    tokens = torch.tensor([[0, *sentence.tolist()[:63]]])
    for _ in range(40):
        optimizer.zero_grad()
        F.cross_entropy(model(tokens)[0, :-1], tokens[0, 1:]).backward()
        optimizer.step()
    return model.eval()


def test_a_batch_of_prompts_continues_as_each_alone(model_of: MakeModel) -> None:
    """The marker fills a batch up, in front."""
    folder = exported(model_of(SMALL))
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    prompts = ["a", "a much longer prompt"]
    batch = model.generate(**tokenizer(prompts, padding=True, return_tensors="pt"), max_new_tokens=8)
    for row, prompt in zip(batch, prompts, strict=True):
        alone = model.generate(**tokenizer(prompt, return_tensors="pt"), max_new_tokens=8)[0]
        assert row[-8:].tolist() == alone[-8:].tolist()


@pytest.fixture(scope="module")
def tokenizers(tokenizer_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tokenizer, object]:
    from fakesmrt_models.export.huggingface import tokenizer_config
    from fakesmrt_models.training.model_folder import canonical_json
    from warehouse.tokens.tokenizer import with_marker_in_front

    folder = tmp_path_factory.mktemp("tokenizer")
    (folder / "tokenizer.json").write_bytes(with_marker_in_front(tokenizer_file.read_bytes()))
    (folder / "tokenizer_config.json").write_bytes(canonical_json(tokenizer_config(SMALL)))
    return Tokenizer.from_file(tokenizer_file), AutoTokenizer.from_pretrained(folder)


@settings(max_examples=150)
@given(
    text=st.lists(
        st.text()
        | st.sampled_from(
            [DOCUMENT_MARKER, "<|", "\r\n", "\0", "é", "e\u0301", "👩‍👩‍👧", "  ", "don't", "\uff11"]
        )
    ).map("".join)
)
def test_token_ids_are_those_of_transformers(tokenizers: tuple[Tokenizer, object], text: str) -> None:
    ours, theirs = tokenizers
    ids = ours.encode(text).tolist()
    assert theirs(text)["input_ids"] == [0, *ids]
    assert theirs(text, add_special_tokens=False)["input_ids"] == ids
    assert theirs.decode([0, *ids], skip_special_tokens=True) == ours.decode(ids) == text


FLAGS = {
    "feed_forward": "relu_squared",
    "logit_softcap": 15.0,
    "query_key_gain": None,
    "residual_lambdas": True,
    "value_from_embedding": True,
}


@pytest.mark.parametrize("flag", sorted(FLAGS))
def test_what_qwen3_lacks_is_refused_by_name(flag: str, model_of: MakeModel) -> None:
    folder = model_of(replace(SMALL, **{flag: FLAGS[flag]}))
    with pytest.raises(InvalidConfiguration, match=f"Qwen3 cannot express: {flag}"):
        exported(folder)
    assert not folder.with_name("exported").exists()


def test_every_setting_of_a_shape_is_exported_or_refused() -> None:
    """A new setting must be decided on here: what is neither would change the model silently."""
    expressed = {
        "vocab_size", "width", "n_layers", "n_heads", "n_kv_heads", "head_width", "feed_forward_width",
        "context_length", "norm_weights", "tied_embeddings", "rope_theta", "norm_epsilon", "sliding_window",
    }  # fmt: skip
    only_in_training = {"dropout"}
    assert set(ModelConfig.__dataclass_fields__) - only_in_training == expressed | set(FLAGS)


def test_an_ensemble_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mixed").mkdir()
    (tmp_path / "mixed" / "ensemble.json").write_text("{}")
    with pytest.raises(InvalidConfiguration, match="is an ensemble, not a model"):
        exported(tmp_path / "mixed")


def test_nothing_is_overwritten(model_of: MakeModel) -> None:
    folder = model_of(SMALL)
    exported(folder)
    with pytest.raises(InvalidConfiguration, match="exists already"):
        exported(folder)


def test_a_folder_of_mixed_up_files_is_refused(model_of: MakeModel, tokenizer_file: Path) -> None:
    folder = model_of(SMALL)
    (folder / "config.json").write_text(replace(SMALL, tied_embeddings=False).to_json())
    with pytest.raises(CorruptArtefact, match=r"has not the tensors of config\.json: lm_head"):
        exported(folder)
    folder = model_of(SMALL)
    (folder / "tokenizer.json").write_bytes(tokenizer_file.read_bytes() + b"\n")
    with pytest.raises(CorruptArtefact, match="not the tokenizer of this model"):
        exported(folder)
    assert not folder.with_name("exported").exists()
