"""What is known of languages, and how likely a reading is."""

import numpy as np
import pytest

from warehouse.cleanser.encodings.candidates import COMMONNESS, suitability
from warehouse.cleanser.encodings.character_statistics import LATIN, UNDETERMINED, character_statistics
from warehouse.cleanser.encodings.comparison import others, ranked
from warehouse.cleanser.encodings.plausibility import evidence, log_likelihood, surroundings


def counts_of(data: bytes) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.bincount(np.frombuffer(data, np.uint8), minlength=256)


def test_every_language_has_counts_and_probabilities() -> None:
    known = character_statistics()
    assert set(known.script_names) == set(known.scripts)
    for statistics in known.scripts.values():
        assert statistics.floor.shape == (len(known.kind), len(statistics.languages))
        assert (statistics.symbols.sum(0) > 0).all()
        assert np.isfinite(np.log(statistics.floor[9:])).all()
    assert known.scripts[LATIN].languages[-1] == UNDETERMINED


def test_case_is_folded_and_classes_are_shared() -> None:
    symbol = character_statistics().symbol
    assert symbol[ord("É")] == symbol[ord("é")] != symbol[ord("e")]
    assert symbol[ord("1")] == symbol[ord("9")]
    assert symbol[ord("人")] == symbol[ord("家")]


@pytest.mark.parametrize(
    ("right", "wrong", "text"),
    [
        ("cp1252", "cp437", "Parfois, à peine ma bougie éteinte"),
        ("koi8-r", "cp1251", "каждая несчастливая семья"),
        ("iso8859-2", "cp1252", "Dziś piękność twą widzę"),
        ("cp932", "euc_kr", "名前はまだ無い。"),
    ],
)
def test_what_was_written_is_likelier_than_what_was_not(right: str, wrong: str, text: str) -> None:
    data = text.encode(right)
    around = surroundings(data, counts_of(data))
    likely, unlikely = (log_likelihood(data.decode(e, "replace"), e, around) for e in (right, wrong))
    assert likely > unlikely + 10


def test_readings_scored_together_score_as_they_do_alone() -> None:
    data = "Всё смешалось в доме".encode("cp1251")
    around = surroundings(data, counts_of(data))
    texts = [data.decode(encoding, "replace") for encoding in ("cp1251", "koi8-r", "cp1252", "gb18030")]
    for text, together in zip(texts, evidence(texts, around), strict=True):
        assert together.log_likelihood("cp1251") == pytest.approx(
            log_likelihood(text, "cp1251", around), abs=1e-3
        )


def test_a_ranking_has_the_best_first_and_rivals_with_other_texts() -> None:
    data = "Longtemps, je me suis couché de bonne heure.".encode("cp1252")
    ranking = ranked(data, counts_of(data))
    scores = [reading.score for reading in ranking]
    assert scores == sorted(scores, reverse=True)
    assert all(rival.text != ranking[0].text for rival in others(ranking))


def test_encodings_suit_the_languages_that_they_were_made_for() -> None:
    assert suitability("cp1250", "cs", LATIN, 0.0) > suitability("cp1250", "fr", LATIN, 0.0)
    assert suitability("gb18030", "zh_Hans", "CJK", 0.0) > suitability("gb18030", "ru", "CYRILLIC", 0.0)
    assert suitability("cp1252", "fr", LATIN, 0.0) > suitability("cp1252", "cs", LATIN, 0.05)
    assert all("x".encode(encoding) == b"x" for encoding in COMMONNESS if encoding != "hp-roman8")
