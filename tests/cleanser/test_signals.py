"""Quality signals by their published definitions, for many texts at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from warehouse.cleanser import signals
from warehouse.cleanser.measures.line_rules import C4_COUNTS, c4_counts
from warehouse.cleanser.measures.repetition import duplicate_characters
from warehouse.cleanser.measures.words import cut_word
from warehouse.cleanser.signals import SIGNALS, measure_signals

SAMPLES = [
    "It was the best of times, it was the worst of times... To be continued…\n",
    "- a bullet\n  • another bullet\r\nTo be continued...\n",
    "He said: “Go on!” Then he left.  She didn't; nobody's fault, isn't it?\n\n\n",
    "Use of cookies is in our privacy policy. JavaScript must be on, it says here.\n",
    "Lorem ipsum dolor sit amet, as they say. {braces} stand in this line too.\n",
    "A fact.[12] Another fact [citation needed]. And so on and so on and so on.\n",
    "It ends here.  ! He left them all.\n",
    "one two three four five six seven one two three four five six seven\n",
    "-- --- ---- -- -------  ---- -- --- ---- ------\n",
    "Война и мир. 戦争と平和。\u2028Ünïcödé\x85naïve \u00a0 café\n",
    "x" * 1100 + " long. ",
    " \t\n \n\n",
]

texts = st.lists(st.sampled_from(SAMPLES) | st.text(max_size=40), max_size=6).map("".join)


def measured(text: str) -> dict[str, Any]:
    return {
        name: values[0].item() if hasattr(values[0], "item") else values[0]
        for name, values in measure_signals([text]).items()
    }


def test_words() -> None:
    found = measured("The cat, 42 #dogs and WE've ... that\n")
    tokens = ["The", "cat", ",", "42", "#", "dogs", "and", "WE've", "...", "that"]
    assert found["n_words"] == len(tokens)
    assert found["n_non_symbol_words"] == 7
    assert found["mean_word_length"] == pytest.approx((3 + 3 + 2 + 4 + 3 + 5 + 4) / 7)
    assert found["alphabetic_word_share"] == pytest.approx(6 / 10)
    assert found["hash_word_ratio"] == pytest.approx(1 / 10)
    assert found["ellipsis_word_ratio"] == pytest.approx(1 / 10)
    assert found["stop_word_kinds"] == 2
    assert found["newline_word_ratio"] == pytest.approx(1 / 10)


def test_lines() -> None:
    text = (
        "- a bullet\n• another bullet\n\nTo be continued...\n"
        "A line that is quite a bit longer than thirty characters.\n"
        "\n- a bullet\n\n\nthe end.\n"
    )
    found = measured(text)
    assert found["n_lines"] == 6
    assert found["bullet_line_share"] == pytest.approx(3 / 10)
    assert found["ellipsis_line_share"] == pytest.approx(1 / 10)
    assert found["terminal_punctuation_line_share"] == pytest.approx(3 / 6)
    assert found["short_line_share"] == pytest.approx(5 / 6)
    assert found["duplicate_line_share"] == pytest.approx(1 / 7)
    assert found["duplicate_line_character_share"] == pytest.approx(10 / len(text))
    assert found["fineweb_duplicate_line_character_share"] == pytest.approx(10 / len(text.replace("\n", "")))


def test_paragraphs() -> None:
    text = "One paragraph.\n\nAnother one.\n\n\n\nOne paragraph.\n"
    found = measured(text)
    assert found["duplicate_paragraph_share"] == pytest.approx(1 / 3)
    assert found["duplicate_paragraph_character_share"] == pytest.approx(len("One paragraph.") / len(text))


def test_repeated_words() -> None:
    text = "a b c d e f a b c d e f a b"
    found = measured(text)
    assert found["top_2gram_character_share"] == pytest.approx(3 * len("a b") / len(text))
    assert found["top_3gram_character_share"] == pytest.approx(2 * len("a b c") / len(text))
    assert found["duplicate_5gram_character_share"] == pytest.approx(5 / len(text))
    assert found["duplicate_7gram_character_share"] == pytest.approx(7 / len(text))
    assert found["duplicate_8gram_character_share"] == pytest.approx(8 / len(text))
    assert found["duplicate_9gram_character_share"] == 0.0


def test_lines_by_the_rules_of_c4() -> None:
    text = (
        "Mr. Fox ran home. “Why?” he asked. Nobody knew.\n"
        "no end here\n"
        "Too short.\n"
        "You need javascript for this line.\n"
        "Read our privacy policy, please.\n"
        "Here is lorem ipsum again.\n"
    )
    found = measured(text)
    assert found["c4_n_sentences"] == 5  # a word after a question mark begins one, whatever its case
    assert found["c4_n_unterminated_lines"] == 1
    assert found["c4_n_few_word_lines"] == 1
    assert found["c4_n_javascript_lines"] == 1
    assert found["c4_n_policy_lines"] == 1
    assert found["c4_n_long_word_lines"] == 0
    assert (found["c4_has_lorem_ipsum"], found["c4_has_curly_bracket"]) == (True, False)
    kept = len(text.splitlines()[0]) + len(text.splitlines()[-1])
    assert found["c4_kept_character_share"] == pytest.approx(kept / len(text))


def test_characters_of_any_script() -> None:
    found = measured("Война и мир, 1869: £5")
    assert found["letter_share"] == pytest.approx(9 / 21)
    assert found["uppercase_share"] == pytest.approx(1 / 9)
    assert found["digit_share"] == pytest.approx(5 / 21)
    assert found["punctuation_share"] == pytest.approx(2 / 21)
    assert found["symbol_share"] == pytest.approx(1 / 21)
    assert found["whitespace_share"] == pytest.approx(4 / 21)
    assert (found["script"], found["script_share"]) == ("Cyrillic", 1.0)
    assert measured("日本語のテキスト")["script"] == "Katakana"
    assert measured("42")["script"] == "Common"


def test_private_data_is_counted() -> None:
    found = measured("Write to ann@example.org or see https://example.org/x for more.")
    assert (found["n_emails"], found["n_urls"], found["n_cards"]) == (1, 1, 0)


@pytest.mark.parametrize("text", ["", "\n", " \n\n ", "\x00"])
def test_nothing_to_count_is_zero(text: str) -> None:
    for name, value in measured(text).items():
        assert name in {"language", "script"} or value == value
    if not text.strip("\x00").strip():
        assert measured(text)["mean_word_length"] == 0
    assert measured(text)["language"] == "und"


@settings(max_examples=80)
@given(st.lists(texts, max_size=5))
def test_neighbours_in_a_batch_change_nothing(batch: list[str]) -> None:
    together = measure_signals(batch)
    for signal in SIGNALS:
        alone = [measured(text)[signal.name] for text in batch]
        assert together[signal.name].tolist() == alone, signal.name
        assert not (signal.dtype == "float32" and np.isnan(together[signal.name]).any())


def test_batches_are_cut_where_they_are_full(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measure_signals(SAMPLES)
    monkeypatch.setattr(signals, "BATCH_CHARACTERS", 100)
    for name, values in measure_signals(SAMPLES).items():
        assert values.tolist() == whole[name].tolist()


@settings(max_examples=100)
@given(texts)
@example("".join(SAMPLES))
def test_lines_counted_side_by_side_are_those_counted_one_by_one(text: str) -> None:
    found, expected = measured(text), c4_counts(text)
    for name in C4_COUNTS:
        if name != "n_kept_characters":
            assert found[f"c4_{name}"] == getattr(expected, name), name
    lines = text.splitlines()
    bullets = sum(line.lstrip().startswith(("•", "-")) for line in lines)
    ellipses = sum(line.rstrip().endswith(("...", "…")) for line in lines)
    assert found["bullet_line_share"] == pytest.approx(bullets / max(len(lines), 1))
    assert found["ellipsis_line_share"] == pytest.approx(ellipses / max(len(lines), 1))
    nonblank = [line for line in text.split("\n") if line.strip()]
    assert found["n_lines"] == len(nonblank)
    assert found["short_line_share"] == pytest.approx(
        sum(len(line) <= 30 for line in nonblank) / max(len(nonblank), 1)
    )
    without_newlines = len(text.replace("\n", ""))
    assert found["fineweb_duplicate_line_character_share"] == pytest.approx(
        duplicate_characters(nonblank) / max(without_newlines, 1)
    )


def top_characters(words: list[str], n: int) -> int:
    """Gopher's measure as datatrove words it: the earliest of the most frequent n-grams."""
    counts: dict[str, int] = {}
    for start in range(len(words) - n + 1):
        ngram = " ".join(words[start : start + n])
        counts[ngram] = counts.get(ngram, 0) + 1
    top = max(counts, key=lambda ngram: counts[ngram], default="")
    return len(top) * counts.get(top, 0)


def repeated_characters(words: list[str], n: int) -> int:
    """Gopher's measure as datatrove words it: n-grams met before, left to right, none over another."""
    seen: set[str] = set()
    start = n_characters = 0
    while start + n <= len(words):
        ngram = "".join(words[start : start + n])
        if ngram in seen:
            n_characters += len(ngram)
            start += n
        else:
            seen.add(ngram)
            start += 1
    return n_characters


RULED_LINES = [
    "-- ----- - --- - ---- ---- ---- ------ ---- -- -",
    "--- --- ----- ------ ----- ----- ----- --- ----- ----- ----- ---- -----",
    "- -- ----- ----- - - ---- --- -- -- ---- -- ---- ----- ------ ------",
]
"""Longer n-grams are spelt alike here, though no shorter ones are."""

few_words = st.sampled_from(RULED_LINES) | st.lists(
    st.sampled_from(["a", "b", "ab", "-", "--", "---", "the", "of"]), max_size=60
).map(" ".join)


@settings(max_examples=100)
@given(few_words | texts)
@example(RULED_LINES[0])
@example(RULED_LINES[2])
def test_repetition_counted_side_by_side_is_that_counted_word_by_word(text: str) -> None:
    found = measured(text)
    words = [token for piece in text.split() for token in cut_word(piece)]
    for n in range(2, 5):
        assert found[f"top_{n}gram_character_share"] == pytest.approx(
            top_characters(words, n) / max(len(text), 1)
        )
    for n in range(5, 11):
        expected = repeated_characters(words, n) / max(len(text), 1)
        assert found[f"duplicate_{n}gram_character_share"] == pytest.approx(expected), n
