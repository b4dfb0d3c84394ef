"""Byte-level BPE: every text comes back, the marker cannot be smuggled in, training repeats to the byte."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.errors import CorruptArtefact, InputUnreadable, InvalidConfiguration
from warehouse.tokens.tokenizer import Tokenizer, joined_chunks, train_tokenizer

SENTENCES = [
    "It was the best of times, it was the worst of times, it was the age of wisdom.",
    "It was the age of foolishness, it was the epoch of belief, it was the epoch of incredulity.",
    "It was the season of Light, it was the season of Darkness, it was the spring of hope.",
    "C'était le meilleur des temps, c'était le pire des temps — 20 % de « sagesse ».",
    "Es war die beste und die schönste Zeit, ein Jahrhundert der Weisheit\tund des Unsinns.\n\n",
    "  the text may spell <|document|> and <|document|> again",
]
TOKENIZER = Tokenizer(train_tokenizer(SENTENCES, 320))


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_comes_back_exactly(text: str) -> None:
    tokens = TOKENIZER.encode(text)
    assert tokens.dtype == np.uint16
    assert TOKENIZER.decode(tokens) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n",
        " a",
        "a  b \n\n c ",
        "\u200d\ufeff\u0301",
        "日本語 עברית 👩‍👩‍👧",
        "\x00\x7f\ufffd\U0010ffff",
        *SENTENCES,
    ],
)
def test_odd_texts_come_back_exactly(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


def test_text_that_spells_the_marker_is_text() -> None:
    text = "a<|document|>b <|document|>"
    tokens = TOKENIZER.encode(text)
    assert 0 not in tokens
    assert TOKENIZER.decode(tokens) == text


def test_markers_stand_for_nothing_and_begin_each_chunk() -> None:
    encoded = TOKENIZER.encode_batch(["the age", "", "of wisdom"])
    tokens, starts = joined_chunks(encoded)
    assert np.flatnonzero(tokens == 0).tolist() == starts.tolist()
    assert len(starts) == 3
    assert TOKENIZER.decode(tokens) == "the ageof wisdom"


def test_the_vocabulary_holds_the_marker_all_bytes_and_what_the_sample_offers() -> None:
    assert TOKENIZER.vocab_size == 320
    assert Tokenizer(train_tokenizer(["ab"], 2048)).vocab_size == 257
    with pytest.raises(InvalidConfiguration, match="257 to 65536"):
        train_tokenizer(SENTENCES, 256)


def test_the_order_of_the_texts_changes_no_byte() -> None:
    shuffled = random.Random(3).sample(SENTENCES, len(SENTENCES))
    assert train_tokenizer(shuffled, 320) == TOKENIZER.data


@pytest.mark.parametrize("threads", ["1", "3"])
def test_another_process_with_any_number_of_threads_trains_the_same_bytes(
    threads: str, corpora: Path
) -> None:
    book = sorted((corpora / "prose" / "classic_books" / "Aesop").glob("*.md"))[0]
    program = (
        "import hashlib, pathlib, sys\n"
        "from warehouse.tokens.tokenizer import train_tokenizer\n"
        "text = pathlib.Path(sys.argv[1]).read_text()\n"
        "print(hashlib.sha256(train_tokenizer(text.split('\\n\\n'), 1024)).hexdigest())"
    )
    environment = {**os.environ, "RAYON_NUM_THREADS": threads, "TOKENIZERS_PARALLELISM": "true"}
    output = subprocess.run(
        [sys.executable, "-c", program, str(book)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    here = train_tokenizer(book.read_text().split("\n\n"), 1024)
    assert output.strip() == hashlib.sha256(here).hexdigest()


def test_it_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(TOKENIZER.data)
    loaded = Tokenizer.from_file(path)
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).digest()
    assert loaded.encode("<|document|> best").tolist() == TOKENIZER.encode("<|document|> best").tolist()


def test_what_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable):
        Tokenizer.from_file(tmp_path / "missing.json")
    with pytest.raises(CorruptArtefact, match=r"not a tokenizer\.json"):
        Tokenizer(b"{}")
    with pytest.raises(CorruptArtefact, match="token 0"):
        Tokenizer(TOKENIZER.data.replace(b"<|document|>", b"<|endoftext|>"))


def test_lone_surrogates_are_refused_by_name() -> None:
    with pytest.raises(InputUnreadable, match="UTF-8"):
        TOKENIZER.encode("a\ud800")
