"""The n-gram model against modified Kneser-Ney as the paper writes it: dictionaries, tuples, recursion."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np
import pytest

from warehouse.perplexity.training import train_ngram
from warehouse.tokens.tokenizer import joined_chunks

MARKER = 0
Ngram = tuple[int, ...]


class SlowKneserNey:
    """Chen & Goodman 1999, section 3.3; `chunks` are lists of token ids without marker."""

    def __init__(self, chunks: list[list[int]], order: int, vocab_size: int) -> None:
        self.order, self.vocab_size = order, vocab_size
        occurrences = [Counter[Ngram]() for _ in range(order + 2)]
        for chunk in chunks:
            text = (MARKER, *chunk)
            for k in range(1, order + 1):
                for end in range(max(k, 2), len(text) + 1):
                    occurrences[k][text[end - k : end]] += 1
        self.counts: list[dict[Ngram, int]] = [{} for _ in range(order + 1)]
        self.counts[order] = dict(occurrences[order])
        for k in range(1, order):
            for ngram, times in occurrences[k].items():
                begins_chunk = ngram[0] == MARKER
                predecessors = {longer[0] for longer in occurrences[k + 1] if longer[1:] == ngram}
                self.counts[k][ngram] = times if begins_chunk else len(predecessors)
        self.discounts = [(0.0, 0.0, 0.0)] + [self._discounts(k) for k in range(1, order + 1)]
        self.probability = lru_cache(maxsize=None)(self._probability)

    def _discounts(self, k: int) -> tuple[float, float, float]:
        of_counts = Counter(self.counts[k].values())
        n1, n2, n3, n4 = (of_counts[i] for i in (1, 2, 3, 4))
        if min(n1, n2, n3, n4) == 0:
            return (0.5, 1.0, 1.5)
        y = n1 / (n1 + 2 * n2)
        found = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
        return found if all(0 < d <= i for i, d in enumerate(found, 1)) else (0.5, 1.0, 1.5)

    def _probability(self, context: Ngram, token: int) -> float:
        k = len(context) + 1
        below = self.probability(context[1:], token) if context else 1 / (self.vocab_size - 1)
        followers = {n[-1]: c for n, c in self.counts[k].items() if n[:-1] == context}
        if not followers:
            return below
        total = sum(followers.values())
        taken = [self.discounts[k][min(c, 3) - 1] for c in followers.values()]
        count = followers.get(token, 0)
        discount = self.discounts[k][min(count, 3) - 1] if count else 0.0
        return (count - discount) / total + sum(taken) / total * below

    def chunk_probabilities(self, chunk: list[int]) -> list[float]:
        """The probability of each token of a chunk given the chunk so far."""
        text = (MARKER, *chunk)
        return [self.probability(text[max(0, i - self.order + 1) : i], text[i]) for i in range(1, len(text))]


TEXT = """There was an old woman who lived in a shoe. She had so many children, she did not know what to do.
She gave them some broth without any bread, and she whipped them all soundly and put them to bed. There was a
crooked man, and he walked a crooked mile. He found a crooked sixpence against a crooked stile. He bought a
crooked cat, which caught a crooked mouse, and they all lived together in a little crooked house. a. an. A"""


def letters(text: str) -> list[int]:
    """Token ids 1 to 27: a to z, and everything else."""
    return [ord(c) - 96 if "a" <= c <= "z" else 27 for c in text.lower()]


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_equals_a_slow_implementation_of_the_formulae(order: int) -> None:
    chunks = [letters(sentence) for sentence in TEXT.split(".")]
    unseen = [letters("A woman caught the quick brown zebra"), [29, 28, 1, 1], [], [5]]
    slow = SlowKneserNey(chunks, order, vocab_size=30)
    tokens, starts = joined_chunks([np.array(chunk, np.uint16) for chunk in chunks + unseen])
    n_trained = sum(len(chunk) + 1 for chunk in chunks)
    model = train_ngram(tokens[:n_trained], starts[: len(chunks)], order, vocab_size=30)
    for k, discounts in enumerate(model.discounts, start=1):
        assert discounts.values == pytest.approx(slow.discounts[k])
    expected = [p for chunk in chunks + unseen for p in slow.chunk_probabilities(chunk)]
    found = np.exp(model.token_log_probabilities(tokens, starts).astype(np.float64))
    assert found == pytest.approx(expected, rel=1e-5)
