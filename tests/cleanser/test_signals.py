"""Quality signals by their published definitions."""
# ruff: noqa: RUF001  # text in several scripts is the subject

import pytest

from warehouse.cleanser.language import identify_language
from warehouse.cleanser.signals import measure_signals


def test_words_and_letters() -> None:
    signals = measure_signals("The cat, 42 #dogs and WE have ... that\n")
    assert signals.n_words == 9
    assert signals.mean_word_length == pytest.approx((3 + 4 + 2 + 5 + 3 + 2 + 4 + 3 + 4) / 9)
    assert signals.alphabetic_word_share == pytest.approx(7 / 9)
    assert signals.symbol_word_ratio == pytest.approx(1 / 9)
    assert signals.stop_word_kinds == 4
    assert signals.letter_share == pytest.approx(23 / 39)
    assert signals.digit_share == pytest.approx(2 / 39)
    assert signals.uppercase_share == pytest.approx(3 / 23)


def test_lines() -> None:
    text = (
        "- a bullet\n• another bullet\n\nTo be continued...\n"
        "A line that is quite a bit longer than thirty characters.\n"
        "\n- a bullet\n“Quoted!”\n"
    )
    signals = measure_signals(text)
    assert signals.n_lines == 6
    assert signals.bullet_line_share == pytest.approx(3 / 6)
    assert signals.ellipsis_line_share == pytest.approx(1 / 6)
    assert signals.terminal_punctuation_line_share == pytest.approx(3 / 6)
    assert signals.short_line_share == pytest.approx(5 / 6)
    assert signals.duplicate_line_share == pytest.approx(1 / 6)
    n_line_characters = sum(len(line.strip()) for line in text.splitlines())
    assert signals.duplicate_line_character_share == pytest.approx(10 / n_line_characters)


def test_letters_of_any_script_are_letters() -> None:
    signals = measure_signals("Война и мир")
    assert (signals.letter_share, signals.uppercase_share) == (pytest.approx(9 / 11), pytest.approx(1 / 9))
    assert signals.alphabetic_word_share == 1.0


def test_nothing_to_count_is_zero() -> None:
    signals = measure_signals("\n")
    assert (signals.n_words, signals.mean_word_length, signals.short_line_share, signals.uppercase_share) == (
        0,
        0,
        0,
        0,
    )


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("It was the best of times, it was the worst of times.", "en"),
        ("Alle Menschen sind frei und gleich an Würde und Rechten geboren.", "de"),
        ("Все люди рождаются свободными и равными в своем достоинстве и правах.", "ru"),
        ("123 456", "und"),
    ],
)
def test_languages(text: str, language: str) -> None:
    found, score = identify_language(text)
    assert found == language
    assert 0.0 <= score <= 1.0
    assert (score == 0.0) == (language == "und")
