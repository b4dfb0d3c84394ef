"""Generation: the cache changes nothing, the seed decides, and ensembles average probabilities."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from fakesmrt_models.architecture.presets import PRESETS
from fakesmrt_models.architecture.transformer import Transformer, initialised
from fakesmrt_models.generation.cache import CachedModel
from fakesmrt_models.generation.sampling import Sampling, generate, next_token
from warehouse.errors import InvalidConfiguration
from warehouse.tokens.tokenizer import DOCUMENT_MARKER_ID, Tokenizer, train_tokenizer

TEXT = "It was the best of times, it was the worst of times, it was the age of wisdom. " * 20


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(train_tokenizer([TEXT], 300))


def model(seed: int, **changes: object) -> Transformer:
    made = initialised(replace(PRESETS["56kx"], **changes), seed)
    generator = torch.Generator().manual_seed(seed)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.2, generator=generator)
    return made.eval()


@pytest.mark.parametrize("pieces", [[1] * 20, [20], [7, 1, 12]])
@pytest.mark.parametrize("window", [None, 6])
def test_cached_logits_are_the_full_forwards(pieces: list[int], window: int | None) -> None:
    whole = model(1, sliding_window=window)
    tokens = torch.randint(0, 512, (sum(pieces),), generator=torch.Generator().manual_seed(0))
    cached, read = CachedModel(whole), 0
    with torch.inference_mode():
        for length in pieces:
            logits = cached.next_logits(tokens[read : read + length])
            read += length
            torch.testing.assert_close(logits, whole(tokens[None, :read])[0, -1], atol=1e-4, rtol=1e-4)


def greedy_without_cache(made: Transformer, tokenizer: Tokenizer, prompt: str, n_tokens: int) -> str:
    ids = [DOCUMENT_MARKER_ID, *map(int, tokenizer.encode(prompt))]
    n_prompt = len(ids)
    for _ in range(n_tokens):
        logits = made(torch.tensor([ids]))[0, -1, : tokenizer.vocab_size]
        logits[DOCUMENT_MARKER_ID] = -torch.inf
        ids.append(int(logits.argmax()))
    return tokenizer.decode(ids[n_prompt:])


def test_greedy_text_is_that_of_the_full_forward(tokenizer: Tokenizer) -> None:
    made = model(1)
    generation = generate([made], tokenizer, "It was", 30, Sampling(temperature=0))
    assert generation.text == greedy_without_cache(made, tokenizer, "It was", 30)
    assert generation.n_tokens == 30


def test_the_seed_decides(tokenizer: Tokenizer) -> None:
    texts = [generate([model(1)], tokenizer, "", 25, Sampling(seed=seed)).text for seed in (5, 5, 6)]
    assert texts[0] == texts[1] != texts[2]


def test_more_tokens_than_the_context(tokenizer: Tokenizer) -> None:
    long_prompt = TEXT[:800]
    generation = generate([model(1)], tokenizer, long_prompt, 150, Sampling(seed=1))
    assert generation.n_tokens == 150


def test_an_ensemble_averages_probabilities(tokenizer: Tokenizer) -> None:
    both, first, second = Sampling(temperature=0), model(1), model(2)
    alone = generate([second], tokenizer, "It", 20, both).text
    assert generate([first, second], tokenizer, "It", 20, both, weights=[0.0, 1.0]).text == alone
    tokens = torch.tensor([[DOCUMENT_MARKER_ID, *map(int, tokenizer.encode("It"))]])
    mean = sum(made(tokens)[0, -1].softmax(-1) for made in (first, second)) / 2
    mean[DOCUMENT_MARKER_ID] = 0
    expected = tokenizer.decode([int(mean[: tokenizer.vocab_size].argmax())])
    assert generate([first, second], tokenizer, "It", 1, both).text == expected


def test_top_k_and_temperature_choose_among_the_likely() -> None:
    probabilities = torch.tensor([0.05, 0.5, 0.3, 0.15])
    generator = torch.Generator().manual_seed(0)
    drawn = {next_token(probabilities.clone(), Sampling(top_k=2), generator) for _ in range(100)}
    assert drawn == {1, 2}
    assert next_token(probabilities, Sampling(temperature=0), generator) == 1


def test_impossible_samplings_are_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(InvalidConfiguration, match="Temperature -1"):
        Sampling(temperature=-1)
    with pytest.raises(InvalidConfiguration, match="0 models"):
        generate([], tokenizer, "", 1, Sampling())
