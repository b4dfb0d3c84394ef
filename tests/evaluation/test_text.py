"""Bits per byte of free text."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from fakesmrt_models.evaluation.bits_per_byte import chunk_nats
from fakesmrt_models.evaluation.results import bits_per_byte
from fakesmrt_models.evaluation.text import evaluate_text, marked
from fakesmrt_models.mixing.ensembles import load_ensemble
from warehouse.errors import InputUnreadable
from warehouse.tokens.tokenizer import Tokenizer

Save = Callable[[str, int], Path]


def test_bits_per_byte_and_perplexity_agree(save_tiny: Save, tokenizer: Tokenizer, texts: list[str]) -> None:
    text = "\n".join(texts[:4]) + " naïve Übung 日本語 🙂"
    result = evaluate_text(load_ensemble(save_tiny("model", 1)), tokenizer, text)
    assert result.n_bytes == len(text.encode())
    nats = result.bits_per_byte * math.log(2) * result.n_bytes
    assert result.perplexity == pytest.approx(math.exp(nats / result.n_tokens))


def test_a_text_of_one_character_is_measured(save_tiny: Save, tokenizer: Tokenizer) -> None:
    result = evaluate_text(load_ensemble(save_tiny("model", 1)), tokenizer, "é")
    assert result.n_bytes == 2
    assert result.bits_per_byte > 0


def test_the_markers_spelling_in_a_text_is_text(save_tiny: Save, tokenizer: Tokenizer) -> None:
    result = evaluate_text(load_ensemble(save_tiny("model", 1)), tokenizer, "<|document|>")
    assert result.n_bytes == len("<|document|>")
    assert result.n_tokens > 1


def test_an_empty_text_is_refused(save_tiny: Save, tokenizer: Tokenizer) -> None:
    with pytest.raises(InputUnreadable):
        evaluate_text(load_ensemble(save_tiny("model", 1)), tokenizer, "")


def test_a_long_text_is_one_document(save_tiny: Save, tokenizer: Tokenizer, texts: list[str]) -> None:
    ensemble = load_ensemble(save_tiny("model", 1))
    text = " ".join(texts)[:9_000]
    context = ensemble.context_length

    result = evaluate_text(ensemble, tokenizer, text)

    tokens = marked(tokenizer.encode(text))
    nats = chunk_nats([ensemble.members[0].model], [tokens], context=context, stride=context // 2)
    assert result.n_tokens == len(tokens) - 1
    assert result.bits_per_byte == pytest.approx(
        bits_per_byte(float(nats.sum()), len(text.encode())), rel=1e-6
    )
