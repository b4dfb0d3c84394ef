"""Proof of a token: its bytes in the raw file, replayed as recorded into the very text that was tokenised.

    raw bytes -> replay -> stored text -> masked, passages left out -> encoded -> the token ids of the shard

Each arrow is done again and compared with what is stored. What cannot be done any more (the file has changed, the shard
is a past one) is said, and the rest is proved without it.

What lives here: those comparisons, and which bytes are the token's. What does not: the database (``token_place.py``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from warehouse import textstore
from warehouse.cleanser.readers.reader import NoTextError
from warehouse.cleanser.replaying import replay
from warehouse.errors import CorruptArtefact, FakesmrtError
from warehouse.files import fetched
from warehouse.home import Home
from warehouse.lineage.raw_text import RawText, raw_text
from warehouse.lineage.token_place import ChunkOrigin, TokenPlace
from warehouse.stages.feeding import explained_reading, filesystem_path, stream_in
from warehouse.stages.masking import Piece, masked_pieces
from warehouse.tokens.shards import TOKEN_DTYPE, TOKENIZER_FILE, Tokens
from warehouse.tokens.tokenizer import Tokenizer


@dataclass(frozen=True)
class Check:
    """One arrow of the proof.

    Attributes:
        what: what was compared.
        holds: whether both are the same; None where it could not be compared.
        note: why not.
    """

    what: str
    holds: bool | None
    note: str | None = None


@dataclass(frozen=True)
class TokenBytes:
    """Characters of the stored text that a token stands for, and the bytes that they come from.

    Attributes:
        char_start: first character in the chunk's stored text.
        char_end: one past the last.
        text: these characters.
        masked: kind of private data that the shard replaces here; None where it keeps them.
        byte_start: first byte in the stream; None where the raw bytes are not there.
        byte_end: one past the last.
        raw: these bytes; None where they are not there.
        is_exact: whether the bytes are those of the characters alone, not those of the record around them.
    """

    char_start: int
    char_end: int
    text: str
    masked: str | None
    byte_start: int | None = None
    byte_end: int | None = None
    raw: bytes | None = None
    is_exact: bool = False


@dataclass(frozen=True)
class TokenProof:
    """A token down to its raw bytes.

    Attributes:
        token_id: its id; None where neither the shard nor the text is there.
        spelled: the bytes of UTF-8 that it stands for, which may be a part of a character.
        places: the characters that it touches, with their raw bytes; none for a marker.
        checks: what was proved, from the file to the token.
    """

    token_id: int | None
    spelled: bytes | None
    places: tuple[TokenBytes, ...]
    checks: tuple[Check, ...]

    @property
    def verdict(self) -> str:
        """``refuted`` where two things differ that must be the same, ``whole`` where every step was done again, else
        ``in part``."""
        if any(check.holds is False for check in self.checks):
            return "refuted"
        done = {check.what for check in self.checks if check.holds}
        return "whole" if {READ, REPLAYED, TOKENS} <= done else "in part"


READ = "the raw file has the bytes that were hashed"
REPLAYED = "the replayed bytes give the text that was recorded"
STORED = "the stored text is the recorded one"
TOKENS = "the text without what is left out gives the tokens of the shard"


def prove(place: TokenPlace, home: Home) -> TokenProof:
    """Replay the raw bytes of a token's chunk, and compare every step with what is stored.

    Args:
        place: of `find_token`.
        home: where texts and shards lie.

    Returns:
        What was proved; a file that is changed or gone is a check that could not be made.
    """
    checks: list[Check] = []
    raw = _replayed(place.origin, home, checks) if place.origin else None
    stored = _stored(place.origin, home, checks) if place.origin else None
    text = raw.text if raw is not None else stored
    if text is None:
        return TokenProof(0 if place.is_marker else None, None, (), tuple(checks))
    pieces = masked_pieces(text, place.mask)
    tokenizer, tokens = _tokens(place, home, "".join(piece.text for piece in pieces), checks)
    if place.is_marker or tokens is None or tokenizer is None:
        return TokenProof(0 if place.is_marker else None, None, (), tuple(checks))
    number = place.token - place.token_start - 1
    spelled = tokenizer.bytes_of(tokens)
    first, last = _characters(pieces, spelled, number)
    places = tuple(_with_bytes(found, raw) for found in _stored_ranges(pieces, text, first, last))
    return TokenProof(int(tokens[number]), spelled[number], places, tuple(checks))


def _replayed(origin: ChunkOrigin, home: Home, checks: list[Check]) -> RawText | None:
    """The chunk's text from its raw bytes; None where they are not there or give another one."""
    if origin.file_sha256 is None:
        checks.append(Check(READ, None, "the file could not be read when it was found"))
        return None
    try:
        with (
            explained_reading(),
            stream_in(
                filesystem_path(origin.path), origin.file_sha256, origin.member, home.temporary
            ) as stream,
        ):
            checks.append(Check(READ, stream.sha256 == origin.stream_sha256))
            try:
                text = replay(stream, origin.decision)
            except (ValueError, NoTextError) as error:
                checks.append(Check(REPLAYED, False, f"the bytes cannot be read so: {error}"))
                return None
            holds = hashlib.sha256(text.encode()).digest() == origin.text_sha256
            checks.append(Check(REPLAYED, holds))
            return raw_text(stream, origin.decision, text) if holds else None
    except FakesmrtError as error:
        checks.append(Check(READ if not checks else REPLAYED, None, error.cause))
        return None


def _stored(origin: ChunkOrigin, home: Home, checks: list[Check]) -> str | None:
    try:
        path = textstore.text_file(home.text, origin.text_file)
        (text,) = textstore.read_rows_left(path, [origin.text_row])
    except FakesmrtError as error:
        checks.append(Check(STORED, None, error.cause))
        return None
    if text is None:
        checks.append(Check(STORED, None, "forgotten: its text is held nowhere"))
        return None
    holds = hashlib.sha256(text.encode()).digest() == origin.text_sha256
    checks.append(Check(STORED, holds))
    return text if holds else None


def _tokens(
    place: TokenPlace, home: Home, text: str, checks: list[Check]
) -> tuple[Tokenizer | None, Tokens | None]:
    """The tokenizer of the shard, and the chunk's token ids without the marker: those of the shard's file where it is
    there, else those that the text gives again."""
    n_tokens = place.token_end - place.token_start - 1
    try:
        tokenizer = _tokenizer(place, home)
        again = tokenizer.encode(text)
    except FakesmrtError as error:
        checks.append(Check(TOKENS, None, error.cause))
        return None, None
    if not place.shard.is_current:
        is_same = len(again) == n_tokens
        # Other tokens can be as many, so the same number proves nothing.
        note = "the shard is a past one: only their number is compared"
        checks.append(Check(TOKENS, None if is_same else False, note))
        return tokenizer, again if is_same else None
    try:
        tokens = _tokens_of_file(place, home)
    except FakesmrtError as error:
        checks.append(Check(TOKENS, None, error.cause))
        return tokenizer, again if len(again) == n_tokens else None
    same = np.array_equal(tokens, again) and b"".join(tokenizer.bytes_of(tokens)) == text.encode()
    checks.append(Check(TOKENS, same))
    return tokenizer, tokens if same else None


def _tokenizer(place: TokenPlace, home: Home) -> Tokenizer:
    shard = place.shard
    if shard.tokenizer_path is None:
        raise CorruptArtefact(
            "the shard is older than the record of what shards were made with", "Run: fakesmrt build tokens"
        )
    tokenizer = Tokenizer.from_file(fetched(home.tokens / shard.tokenizer_path / TOKENIZER_FILE))
    if tokenizer.sha256 != shard.tokenizer_sha256:
        raise CorruptArtefact("the tokenizer's file has changed", "Run: fakesmrt doctor")
    return tokenizer


def _tokens_of_file(place: TokenPlace, home: Home) -> Tokens:
    """The chunk's ids in the shard's file, without the marker; the rest of the file is not read."""
    path = fetched(home.tokens / str(place.shard.path))
    try:
        if path.stat().st_size != (place.shard.n_tokens or 0) * TOKEN_DTYPE.itemsize:
            raise CorruptArtefact(f"{path} has not its length", "Run: fakesmrt doctor")
        with path.open("rb") as file:
            file.seek((place.token_start + 1) * TOKEN_DTYPE.itemsize)
            n_bytes = (place.token_end - place.token_start - 1) * TOKEN_DTYPE.itemsize
            return np.frombuffer(file.read(n_bytes), TOKEN_DTYPE)
    except OSError as error:
        raise CorruptArtefact(f"{path} cannot be read: {error.strerror}", "Run: fakesmrt doctor") from error


def _characters(pieces: Sequence[Piece], spelled: Sequence[bytes], number: int) -> tuple[int, int]:
    """The characters [first, last) of the text as it became tokens that a token touches."""
    data = "".join(piece.text for piece in pieces).encode()
    begin = sum(map(len, spelled[:number]))
    end = begin + len(spelled[number])
    return _n_begun(data[: begin + 1]) - 1, _n_begun(data[:end])


def _n_begun(data: bytes) -> int:
    """Characters that begin in some bytes of UTF-8."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) & 0xC0 != 0x80))


def _stored_ranges(pieces: Sequence[Piece], text: str, first: int, last: int) -> list[TokenBytes]:
    """What the characters [first, last) of the text as it became tokens stand for in the stored text."""
    found = []
    position = 0
    for piece in pieces:
        begin, end = max(first, position) - position, min(last, position + len(piece.text)) - position
        position += len(piece.text)
        if begin >= end:
            continue
        start, stop = piece.char_start, piece.char_end
        if piece.kind is None:
            start, stop = piece.char_start + begin, piece.char_start + end
        found.append(TokenBytes(start, stop, text[start:stop], piece.kind))
    return found


def _with_bytes(found: TokenBytes, raw: RawText | None) -> TokenBytes:
    if raw is None:
        return found
    begin, end, is_exact = raw.bytes_of(found.char_start, found.char_end)
    return TokenBytes(
        found.char_start,
        found.char_end,
        found.text,
        found.masked,
        raw.byte_start + begin,
        raw.byte_start + end,
        raw.raw[begin:end],
        is_exact,
    )
