"""The peer of ``signals.py``: what datatrove's filters compute inside, for texts that stand in a JSON Lines file.

Run by that benchmark with the Python of an environment that holds `datatrove[processing,io]` and `spacy`; this file
imports nothing of ours. datatrove's filters return verdicts, not values, so the few lines between its functions are
stated again here; words, sentences, repeated parts and lists of characters are its own.

Example: python benchmarks/datatrove_signals.py TEXTS.jsonl
prints a JSON object of values for each text, then one with the seconds of processor time.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from datatrove.pipeline.filters.c4_filters import (
    CITATION_REGEX,
    ELLIPSIS,
    END_PUNCTUATION,
    POLICY_SUBSTRINGS,
)
from datatrove.pipeline.filters.fineweb_quality_filter import FineWebQualityFilter
from datatrove.pipeline.filters.gopher_quality_filter import STOP_WORDS
from datatrove.pipeline.filters.gopher_repetition_filter import (
    GopherRepetitionFilter,
    find_all_duplicate,
    find_duplicates,
    find_top_duplicate,
    get_n_grams,
)
from datatrove.utils.text import PUNCTUATION_SET, split_into_sentences, split_into_words

REPETITION = GopherRepetitionFilter()
FINEWEB = FineWebQualityFilter()


def share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def quality_values(text: str, words: list[str]) -> dict[str, float]:
    non_symbol = [word for word in words if any(letter not in PUNCTUATION_SET for letter in word)]
    lines = text.splitlines()
    starts = [line.lstrip() for line in lines]
    ends = [line.rstrip() for line in lines]
    return {
        "n_words": len(words),
        "n_non_symbol_words": len(non_symbol),
        "mean_word_length": share(sum(map(len, non_symbol)), len(non_symbol)),
        "hash_word_ratio": share(text.count("#"), len(words)),
        "ellipsis_word_ratio": share(text.count("...") + text.count("…"), len(words)),
        "alphabetic_word_share": share(sum(any(map(str.isalpha, word)) for word in words), len(words)),
        "stop_word_kinds": len(set(STOP_WORDS).intersection(words)),
        "bullet_line_share": share(sum(line.startswith(("•", "-")) for line in starts), len(lines)),
        "ellipsis_line_share": share(sum(line.endswith(("...", "…")) for line in ends), len(lines)),
    }


def repetition_values(text: str, words: list[str]) -> dict[str, float]:
    paragraphs = REPETITION.paragraph_exp.split(text.strip())
    lines = REPETITION._line_splitter.split(text)
    n_lines, line_characters = find_duplicates(lines)
    n_paragraphs, paragraph_characters = find_duplicates(paragraphs)
    values = {
        "duplicate_line_share": n_lines / len(lines),
        "duplicate_line_character_share": line_characters / len(text),
        "duplicate_paragraph_share": n_paragraphs / len(paragraphs),
        "duplicate_paragraph_character_share": paragraph_characters / len(text),
    }
    for n, _ in REPETITION.top_n_grams:
        ngrams = get_n_grams(words, n)
        values[f"top_{n}gram_character_share"] = find_top_duplicate(ngrams) / len(text) if ngrams else 0.0
    for n, _ in REPETITION.dup_n_grams:
        values[f"duplicate_{n}gram_character_share"] = find_all_duplicate(words, n) / len(text)
    return values


def fineweb_values(text: str, words: list[str]) -> dict[str, float]:
    lines = [line for line in text.split("\n") if line.strip() != ""]
    return {
        "n_lines": len(lines),
        "terminal_punctuation_line_share": share(
            sum(line.endswith(FINEWEB.stop_chars) for line in lines), len(lines)
        ),
        "short_line_share": share(sum(len(line) <= FINEWEB.short_line_length for line in lines), len(lines)),
        "fineweb_duplicate_line_character_share": share(
            find_duplicates(lines)[1], len(text.replace("\n", ""))
        ),
        "newline_word_ratio": share(text.count("\n"), len(words)),
    }


def c4_values(text: str) -> dict[str, float]:
    long_word = unterminated = few_words = javascript = policy = sentences = kept = 0
    lorem_ipsum = curly_bracket = False
    for line in map(str.strip, text.splitlines()):
        words = line.split()
        if any(len(word) > 1000 for word in words):
            long_word += 1
            continue
        line = CITATION_REGEX.sub("", line)
        lowered = line.lower()
        if not line.endswith(END_PUNCTUATION) or line.endswith(ELLIPSIS):
            unterminated += 1
            continue
        if len(words) < 3:
            few_words += 1
            continue
        lorem_ipsum |= "lorem ipsum" in lowered
        if "javascript" in lowered:
            javascript += 1
            continue
        curly_bracket |= "{" in line
        if any(phrase in lowered for phrase in POLICY_SUBSTRINGS):
            policy += 1
            continue
        sentences += len(split_into_sentences(line))
        kept += len(line)
    return {
        "c4_n_sentences": sentences,
        "c4_kept_character_share": share(kept, len(text)),
        "c4_n_long_word_lines": long_word,
        "c4_n_unterminated_lines": unterminated,
        "c4_n_few_word_lines": few_words,
        "c4_n_javascript_lines": javascript,
        "c4_n_policy_lines": policy,
        "c4_has_lorem_ipsum": lorem_ipsum,
        "c4_has_curly_bracket": curly_bracket,
    }


def values(text: str) -> dict[str, float]:
    words = split_into_words(text)
    return {
        **quality_values(text, words),
        **repetition_values(text, words),
        **fineweb_values(text, words),
        **c4_values(text),
    }


def main() -> None:
    texts = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    values("The tokenizer is loaded by this text.")
    started = time.process_time()
    found = [values(text) for text in texts]
    seconds = time.process_time() - started
    for one in found:
        print(json.dumps(one))
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()
