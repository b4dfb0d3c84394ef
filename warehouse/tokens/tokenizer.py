"""Byte-level BPE: training, encoding, decoding.

What lives here: the tokenizers of recipes and of the n-gram reference, made by one function. What does not:
the choice of the texts to train on, shard files (``shards.py``).

Every byte has a token, so every text comes back exactly; and the text is cut by GPT-2's pattern before
merging, which llama.cpp and Hugging Face's readers know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer as BpeTokenizer
from tokenizers import decoders, models, pre_tokenizers, processors, trainers

from warehouse.errors import CorruptArtefact, InputUnreadable, InvalidConfiguration
from warehouse.files import fetched

DOCUMENT_MARKER = "<|document|>"
DOCUMENT_MARKER_ID = 0
N_BYTE_VALUES = 256
MAX_VOCAB_SIZE = 1 << 16
"""Shards hold token ids as uint16."""

Tokens = NDArray[np.uint16]

_PRINTED = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))
BYTE_OF_CHARACTER = {chr(byte): byte for byte in _PRINTED} | {
    chr(N_BYTE_VALUES + number): byte
    for number, byte in enumerate(byte for byte in range(N_BYTE_VALUES) if byte not in _PRINTED)
}
"""How byte-level vocabularies spell bytes: printable ones of Latin-1 as themselves, the others from U+0100 on
(bytes_to_unicode of GPT-2's encoder.py)."""


class Tokenizer:
    """A trained byte-level BPE tokenizer.

    Encoding never yields the document marker: text that spells it out is text. The marker is added where a
    sequence is put together (shards, prompts).
    """

    def __init__(self, data: bytes) -> None:
        """Take the content of a tokenizer.json.

        Raises:
            CorruptArtefact: if it is not a tokenizer with the document marker as token 0.
        """
        try:
            self._bpe = BpeTokenizer.from_str(data.decode())
        # The library raises plain Exception for JSON that is no tokenizer.
        except Exception as error:
            raise CorruptArtefact(
                f"This is not a tokenizer.json ({error})",
                "Make it anew with: fakesmrt build --new-references",
            ) from error
        if self._bpe.token_to_id(DOCUMENT_MARKER) != DOCUMENT_MARKER_ID:
            raise CorruptArtefact(
                f"The tokenizer does not have {DOCUMENT_MARKER} as token {DOCUMENT_MARKER_ID}",
                "Use a tokenizer that fakesmrt trained",
            )
        # Not part of the file: with it the library reads the marker's spelling in a text as ordinary text.
        self._bpe.encode_special_tokens = True
        self.data = data

    @classmethod
    def from_file(cls, path: Path) -> Tokenizer:
        """Read a tokenizer.json.

        Raises:
            InputUnreadable: if the file cannot be read.
            CorruptArtefact: if it is no tokenizer of this project.
        """
        try:
            data = fetched(path).read_bytes()
        except OSError as error:
            raise InputUnreadable(
                f"The tokenizer {path} cannot be read ({error.strerror})", "Check the path"
            ) from error
        return cls(data)

    @property
    def vocab_size(self) -> int:
        """Number of token ids, the marker included."""
        return self._bpe.get_vocab_size()

    @property
    def sha256(self) -> bytes:
        """SHA-256 of tokenizer.json."""
        return hashlib.sha256(self.data).digest()

    def encode(self, text: str) -> Tokens:
        """Token ids of one text, without marker; see `encode_batch`."""
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Sequence[str]) -> list[Tokens]:
        """Token ids of each text, without marker.

        Raises:
            InputUnreadable: if a text holds lone surrogates, which no UTF-8 file can.
        """
        try:
            return [
                np.array(encoding.ids, np.uint16) for encoding in self._bpe.encode_batch_fast(list(texts))
            ]
        except TypeError as error:
            raise InputUnreadable(
                "A text holds characters that UTF-8 cannot express", "Read it with: fakesmrt decode"
            ) from error

    def bytes_of(self, tokens: Tokens | Sequence[int]) -> list[bytes]:
        """The bytes of UTF-8 that each token stands for; none for the marker.

        Raises:
            CorruptArtefact: if a token is not in the vocabulary.
        """
        return [self._bytes_of(int(token)) for token in tokens]

    def _bytes_of(self, token: int) -> bytes:
        spelling = self._bpe.id_to_token(token)
        if spelling is None:
            raise CorruptArtefact(
                f"Token {token} is beyond the vocabulary of {self.vocab_size}",
                "Write the shards anew with: fakesmrt build tokens",
            )
        return b"" if token == DOCUMENT_MARKER_ID else bytes(BYTE_OF_CHARACTER[letter] for letter in spelling)

    def decode(self, tokens: Tokens | Sequence[int]) -> str:
        """The text that the tokens stand for; markers stand for nothing. A cut character becomes U+FFFD."""
        return self._bpe.decode([int(token) for token in tokens], skip_special_tokens=True)


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> bytes:
    """Train a byte-level BPE tokenizer.

    The result depends on how often each word occurs, not on the order of the texts or the number of threads.

    Args:
        texts: the sample.
        vocab_size: token ids wanted, the document marker and the 256 bytes included; a small sample
            has fewer merges to offer, and the tokenizer then has fewer ids.

    Returns:
        The content of tokenizer.json.

    Raises:
        InvalidConfiguration: if the vocabulary cannot hold the bytes or does not fit uint16.
    """
    if not N_BYTE_VALUES < vocab_size <= MAX_VOCAB_SIZE:
        raise InvalidConfiguration(
            f"A byte-level vocabulary of {vocab_size} tokens is impossible",
            f"Choose a vocab_size of {N_BYTE_VALUES + 1} to {MAX_VOCAB_SIZE}",
        )
    bpe = BpeTokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        special_tokens=[DOCUMENT_MARKER],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    return bpe.to_str().encode()


def with_marker_in_front(data: bytes) -> bytes:
    """The content of a tokenizer.json that, read by the library itself, begins every text with the document marker.

    Args:
        data: the content of one that `train_tokenizer` made.
    """
    bpe = BpeTokenizer.from_str(data.decode())
    bpe.post_processor = processors.TemplateProcessing(
        single=f"{DOCUMENT_MARKER} $A",
        pair=f"{DOCUMENT_MARKER} $A {DOCUMENT_MARKER} $B",
        special_tokens=[(DOCUMENT_MARKER, DOCUMENT_MARKER_ID)],
    )
    return bpe.to_str().encode()


def joined_chunks(encoded: Sequence[Tokens]) -> tuple[Tokens, NDArray[np.int64]]:
    """Put texts one after the other as shards do, each begun by the document marker.

    Returns:
        The sequence, and the positions of its markers.
    """
    lengths = np.fromiter((len(tokens) + 1 for tokens in encoded), np.int64, len(encoded))
    starts = np.cumsum(lengths) - lengths
    sequence = np.full(int(lengths.sum()), DOCUMENT_MARKER_ID, np.uint16)
    for start, tokens in zip(starts, encoded, strict=True):
        sequence[start + 1 : start + 1 + len(tokens)] = tokens
    return sequence, starts
