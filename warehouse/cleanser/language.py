"""The language of a text, by py3langid (Lui & Baldwin 2012, "langid.py", in its present form).

What lives here: the model, loaded at first use, and what is asked of it. What does not: choosing a sample.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

UNDETERMINED = "und"

MINIMUM_LETTERS = 20
"""Below so many letters a language is a guess (ISO 639-2 has the code und for that)."""

SAMPLE_CHARACTERS = 8_000
"""More text than this changes the verdict rarely and costs time in proportion."""


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=False)


def identify_language(text: str) -> tuple[str, float]:
    """Language of a text and its probability.

    Args:
        text: any text; its first 8,000 characters are looked at.

    Returns:
        An ISO 639-1 code with a probability in [0, 1] (naive Bayes over byte n-grams, tempered by the square
        root of the length, as py3langid calibrates it), or ("und", 0.0) where there are fewer than 20
        letters.
    """
    sample = text[:SAMPLE_CHARACTERS]
    if sum(map(str.isalpha, sample)) < MINIMUM_LETTERS:
        return UNDETERMINED, 0.0
    ranking = _identifier().rank(sample)
    temperature = math.sqrt(len(sample.encode("utf-8", "replace")))
    best = ranking[0][1]
    total = sum(math.exp((score - best) / temperature) for _, score in ranking)
    return str(ranking[0][0]), 1.0 / total


def language_evidence(text: str) -> float:
    """How strongly a text speaks for some language rather than for languages at large.

    Returns:
        Log-likelihood of the best language minus the mean over all languages, in nats; 0 or more. Text that
        was decoded wrongly looks like no language and scores low.
    """
    scores = [score for _, score in _identifier().rank(text)]
    return float(scores[0] - sum(scores) / len(scores))
