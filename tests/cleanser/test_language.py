"""Languages: what py3langid says, of many texts at once."""
# ruff: noqa: RUF001  # text in several scripts is the subject

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from warehouse.cleanser.language import (
    LONGEST_NGRAM_BYTES,
    SEPARATOR,
    identify_language,
    identify_languages,
    language_evidence,
    language_evidences,
)

SAMPLES = [
    "It was the best of times, it was the worst of times, it was the age of wisdom.",
    "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
    "Все люди рождаются свободными и равными в своем достоинстве и правах.",
    "Сва људска бића рађају се слободна и једнака у достојанству и правима.",
    "Sva ljudska bića rađaju se slobodna i jednaka u dostojanstvu i pravima.",
    "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "ALL HUMAN BEINGS ARE BORN FREE AND EQUAL IN DIGNITY AND RIGHTS.",
    "for index in range(10):\n    print(index ** 2, end=', ')\n",
    "a\u0308 decomposed u\u0308ber alles, o\u0308de Kra\u0308he, und so weiter im Text",
    "\x00\x00 nul bytes \x00 among the letters of a text \x00",
]

texts = st.lists(st.sampled_from(SAMPLES) | st.text(max_size=80), max_size=5).map("".join)


@pytest.fixture(scope="module")
def peer() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@pytest.mark.parametrize(
    ("text", "language"),
    [(SAMPLES[0], "en"), (SAMPLES[1], "de"), (SAMPLES[2], "ru"), (SAMPLES[5], "ja"), ("123 456", "und")],
)
def test_languages(text: str, language: str) -> None:
    found, score = identify_language(text)
    assert found == language
    assert 0.0 <= score <= 1.0
    assert (score == 0.0) == (language == "und")


@settings(max_examples=60)
@given(st.lists(texts, max_size=6))
def test_a_batch_says_what_py3langid_says_of_each_text(peer: LanguageIdentifier, batch: list[str]) -> None:
    for text, (language, score) in zip(batch, identify_languages(batch), strict=True):
        expected, probability = peer.classify(text)
        if sum(map(str.isalpha, text)) < 20:
            assert (language, score) == ("und", 0.0)
        else:
            assert score == pytest.approx(probability, abs=1e-4)
            assert language == expected or probability < 0.5


@settings(max_examples=60)
@given(st.lists(texts, min_size=1, max_size=6))
def test_neighbours_in_a_batch_change_nothing(batch: list[str]) -> None:
    assert identify_languages(batch) == [identify_language(text) for text in batch]
    assert language_evidences(batch) == [language_evidence(text) for text in batch]


def test_evidence_is_the_distance_of_the_best_language_from_all() -> None:
    raw = LanguageIdentifier.from_model_file(MODEL_FILE)
    for text in SAMPLES:
        scores = [score for _, score in raw.rank(text)]
        assert language_evidence(text) == pytest.approx(scores[0] - sum(scores) / len(scores), abs=0.01)
    assert language_evidence("") == 0.0
    mojibake = SAMPLES[2].encode().decode("cp1251", "replace")
    assert language_evidence(mojibake) < language_evidence(SAMPLES[2])


def test_the_automaton_is_as_short_sighted_as_the_walk_takes_it_to_be(peer: LanguageIdentifier) -> None:
    rows = np.asarray(peer.tk_nextmove).reshape(-1, 256)
    assert not rows[:, SEPARATOR].any()
    row_of_state = np.asarray(peer.tk_row)
    reached = np.zeros(len(row_of_state), bool)
    frontier = np.array([0])
    depth = 0
    while len(frontier):
        reached[frontier] = True
        following = np.unique(rows[np.unique(row_of_state[frontier])])
        frontier = following[~reached[following]]
        depth += bool(len(frontier))
    assert depth == LONGEST_NGRAM_BYTES
