"""Shards: flat files of token ids that a trainer maps into memory.

A shard is three files with one name:

    NAME.bin        token ids, little-endian uint16: chunk after chunk, each begun by the document marker
    NAME.index.npy  one record a chunk (`INDEX_DTYPE`): where it lies, what it is, how often it counts
    NAME.json       `ShardManifest`, written last: a shard without a manifest does not exist yet

What lives here: writing and opening them; the hash that gives a document its shard. What does not: which
chunks are in them, and how often a replicate reads a document (``bootstrap.py``).
"""

from __future__ import annotations

import json
import mmap
import re
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import CorruptArtefact, InputUnreadable, InvalidConfiguration
from warehouse.files import exists, fetched, file_sha256, names, remove, write_bytes_whole, written_whole
from warehouse.identity import uniform_draw
from warehouse.splits import SPLITS
from warehouse.tokens.tokenizer import DOCUMENT_MARKER_ID

FORMAT_VERSION = 1
TOKENIZER_FILE = "tokenizer.json"
TOKEN_DTYPE = np.dtype("<u2")
INDEX_DTYPE = np.dtype(
    [
        ("chunk_id", "u1", (16,)),
        ("document_id", "u1", (16,)),
        ("corpus", "<u2"),
        ("weight", "<f4"),
        ("token_start", "<u8"),
        ("token_end", "<u8"),
        ("n_bytes", "<u4"),
    ]
)
"""One chunk: ids as 16 bytes; `corpus` counts into the manifest's corpora; its tokens are [token_start,
token_end), marker included; `n_bytes` of UTF-8 that they stand for."""

READ_AHEAD_BYTES = 1 << 26
"""Up to here the system may read a shard ahead though single chunks are asked for: it is soon read whole."""

REMEDY = "Write the shards anew with: fakesmrt build tokens"

PAST_SUFFIX = ".past"
"""Of the manifest of a shard that was set aside."""

BUILT_NAME = re.compile(r"(\w+-\d\d)-[0-9a-f]{16}")
"""Name of a shard that a build has made, without suffix: split and number, and what it was made from."""

Tokens = NDArray[np.uint16]


@dataclass(frozen=True)
class ChunkTokens:
    """One chunk on its way into a shard.

    Attributes:
        tokens: ids of its text, without the document marker.
        weight: how often its document counts; 1 is once.
        n_bytes: length of its text in UTF-8.
    """

    chunk_id: uuid.UUID
    document_id: uuid.UUID
    corpus: str
    weight: float
    tokens: Tokens
    n_bytes: int


@dataclass(frozen=True)
class ShardManifest:
    """What a shard's JSON file states.

    Attributes:
        tokenizer_sha256: of the tokenizer.json that made the ids, hexadecimal.
        split: train, validation, select, confirm or report.
        n_tokens: token ids in the .bin file, markers included.
        n_chunks: records in the index.
        n_bytes: UTF-8 bytes of the text that the tokens stand for.
        sha256: of the .bin file, hexadecimal.
        index_sha256: of the .index.npy file, hexadecimal.
        shard_id: hash of the shard's inputs, a UUID in text form.
        corpora: names that the index counts into.
    """

    format_version: int
    shard_id: str
    tokenizer_sha256: str
    vocab_size: int
    split: str
    n_tokens: int
    n_chunks: int
    n_bytes: int
    sha256: str
    index_sha256: str
    corpora: tuple[str, ...]


@dataclass(frozen=True)
class Shard:
    """An open shard.

    Attributes:
        path: of the manifest.
        tokens: all token ids, memory-mapped, read-only, shape (n_tokens,).
        index: one record a chunk, shape (n_chunks,), dtype `INDEX_DTYPE`, in the order of the tokens.
    """

    path: Path
    manifest: ShardManifest
    tokens: Tokens
    index: NDArray[np.void]

    @property
    def starts(self) -> NDArray[np.int64]:
        """Positions of the document markers: what `warehouse.perplexity.ngram` asks for."""
        return np.asarray(self.index["token_start"], np.int64)


def shard_number(document_id: uuid.UUID, n_shards: int) -> int:
    """The shard of a document, from 0: text that comes or goes elsewhere does not change it."""
    return int(uniform_draw(str(document_id), "shard") * n_shards)


def write_shard(
    folder: Path,
    name: str,
    rows: Iterable[ChunkTokens],
    *,
    shard_id: uuid.UUID,
    split: str,
    tokenizer_sha256: bytes,
    vocab_size: int,
) -> ShardManifest:
    """Write one shard; the same rows in the same order give the same bytes.

    Args:
        folder: where to; made if it is not there.
        name: of the files, without suffix.
        rows: the chunks, consumed one by one; only their index records are held in memory.

    Raises:
        InvalidConfiguration: if there are no rows, or a row's tokens lie outside the vocabulary or
            spell the document marker.
    """
    tokens_path, index_path, manifest_path = _paths(folder, name)
    corpora: dict[str, int] = {}
    records: list[tuple[Any, ...]] = []
    n_tokens = 0
    with written_whole(tokens_path) as partial, partial.open("wb") as stream:
        for row in rows:
            sequence = _sequence(row, vocab_size)
            stream.write(sequence.tobytes())
            records.append(
                (
                    np.frombuffer(row.chunk_id.bytes, np.uint8),
                    np.frombuffer(row.document_id.bytes, np.uint8),
                    corpora.setdefault(row.corpus, len(corpora)),
                    row.weight,
                    n_tokens,
                    n_tokens + len(sequence),
                    row.n_bytes,
                )
            )
            n_tokens += len(sequence)
        if not records:
            raise InvalidConfiguration(f"The shard {name} would be empty", "Write no shard where no chunk is")
    index = np.array(records, INDEX_DTYPE)
    with written_whole(index_path) as partial:
        np.save(partial, index, allow_pickle=False)
    manifest = ShardManifest(
        format_version=FORMAT_VERSION,
        shard_id=str(shard_id),
        tokenizer_sha256=tokenizer_sha256.hex(),
        vocab_size=vocab_size,
        split=split,
        n_tokens=n_tokens,
        n_chunks=len(index),
        n_bytes=int(index["n_bytes"].sum(dtype=np.int64)),
        sha256=file_sha256(tokens_path).hex(),
        index_sha256=file_sha256(index_path).hex(),
        corpora=tuple(corpora),
    )
    write_bytes_whole(manifest_path, json.dumps(asdict(manifest), indent=1).encode())
    return manifest


def open_shard(path: Path, *, tokenizer_sha256: bytes | None = None, verify: bool = False) -> Shard:
    """Open a shard by its manifest. What lies in an object store is fetched, and proved, the first time.

    Args:
        path: the manifest, NAME.json; NAME.past of one that was set aside.
        tokenizer_sha256: the tokenizer that the ids must come from; None to take any.
        verify: read every byte and compare the hashes; else only lengths.

    Raises:
        CorruptArtefact: if a file is missing, has another length or content than the manifest states, holds
            nothing, or comes from another tokenizer.
    """
    manifest = _read_manifest(path)
    tokens_path, index_path, _ = _paths(path.parent, path.stem)
    if tokenizer_sha256 is not None and manifest.tokenizer_sha256 != tokenizer_sha256.hex():
        raise CorruptArtefact(
            f"The shard {path} was made with tokenizer {manifest.tokenizer_sha256[:12]}, "
            f"not with {tokenizer_sha256.hex()[:12]}",
            REMEDY,
        )
    _fetch(tokens_path, manifest.sha256)
    _fetch(index_path, manifest.index_sha256)
    tokens, index = _mapped(tokens_path, manifest), _loaded_index(index_path, manifest)
    if verify:
        _verify(tokens_path, index_path, manifest, tokens, index)
    return Shard(path, manifest, tokens, index)


def set_aside(manifest: Path) -> None:
    """Keep a shard for those who read an older published version; no split has it any more.

    Its manifest becomes NAME.past, its other files stay as they are.
    """
    write_bytes_whole(manifest.with_suffix(PAST_SUFFIX), fetched(manifest).read_bytes())
    remove(manifest)


def manifest_of(tokens: Path) -> Path:
    """The manifest beside a shard's NAME.bin, whether or not it was set aside."""
    manifest = tokens.with_suffix(".json")
    past = tokens.with_suffix(PAST_SUFFIX)
    return past if exists(past) and not exists(manifest) else manifest


def remove_shard(manifest: Path) -> None:
    """Remove a shard; whoever has it open keeps its mapping."""
    # The manifest goes first: a shard without one does not exist.
    for suffix in (".json", PAST_SUFFIX, ".bin", ".index.npy"):
        remove(manifest.with_suffix(suffix))


@dataclass(frozen=True)
class MappedShard:
    """A shard of which nothing is read before it is asked for: `index` is mapped like the tokens, and unchecked."""

    manifest: ShardManifest
    tokens: Tokens
    index: NDArray[np.void]


def map_shard(path: Path) -> MappedShard:
    """Open a shard for reading single chunks: in a moment, however large its index is.

    Raises:
        CorruptArtefact: if a file is missing, or has another length than the manifest states.
    """
    manifest = _read_manifest(path)
    tokens_path, index_path, _ = _paths(path.parent, path.stem)
    _fetch(tokens_path, manifest.sha256)
    _fetch(index_path, manifest.index_sha256)
    tokens = _mapped(tokens_path, manifest)
    if tokens.nbytes > READ_AHEAD_BYTES:
        tokens = _mapped_for_single_chunks(tokens_path)
    return MappedShard(manifest, tokens, _read_index(index_path, manifest, mapped=True))


def _mapped_for_single_chunks(path: Path) -> Tokens:
    """Mapped without read-ahead, which would read a hundred times what is asked for."""
    with path.open("rb") as stream:
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    mapped.madvise(mmap.MADV_RANDOM)
    return np.frombuffer(mapped, TOKEN_DTYPE)


def open_split(folder: Path, split: str, *, verify: bool = False) -> list[Shard]:
    """Open all shards of one split in a tokens folder, by name.

    Every .json file of the folder is a manifest, save tokenizer.json, which all shards must come from.

    Raises:
        InputUnreadable: if the folder has no tokenizer or no shard of the split.
        CorruptArtefact: see `open_shard`; or if a build that is replacing shards has not reached its end.
    """
    manifests = [folder / name for name in names(folder, "*.json") if name != TOKENIZER_FILE]
    _require_one_of_each(manifests)
    tokenizer_sha256 = _tokenizer_sha256(folder)
    shards = [
        open_shard(path, tokenizer_sha256=tokenizer_sha256, verify=verify)
        for path in manifests
        if _read_manifest(path).split == split
    ]
    if not shards:
        raise InputUnreadable(
            f"{folder} has no shard of the split {split}", "Add more text, or name another folder"
        )
    return shards


def _require_one_of_each(manifests: Iterable[Path]) -> None:
    """A build names a shard by split, number and hash: two of one number are a shard and the one that it supersedes."""
    numbered: dict[str, Path] = {}
    for path in manifests:
        if match := BUILT_NAME.fullmatch(path.stem):
            other = numbered.setdefault(match[1], path)
            if other != path:
                raise CorruptArtefact(
                    f"{other} and {path.name} are one shard, of the past and of now: a build is under way or was ended",
                    "Wait for it, or run: fakesmrt build tokens",
                )


def _tokenizer_sha256(folder: Path) -> bytes:
    try:
        return file_sha256(fetched(folder / TOKENIZER_FILE))
    except OSError as error:
        raise InputUnreadable(
            f"{folder} is no folder of tokens: it has no {TOKENIZER_FILE}",
            "Make one with: fakesmrt build tokens",
        ) from error


def _fetch(path: Path, sha256: str) -> None:
    try:
        fetched(path, bytes.fromhex(sha256))
    except OSError as error:
        raise CorruptArtefact(f"{path} cannot be read ({error.strerror})", REMEDY) from error


def _paths(folder: Path, name: str) -> tuple[Path, Path, Path]:
    return folder / f"{name}.bin", folder / f"{name}.index.npy", folder / f"{name}.json"


def _sequence(row: ChunkTokens, vocab_size: int) -> Tokens:
    tokens = np.asarray(row.tokens, TOKEN_DTYPE)
    if len(tokens) and (int(tokens.max()) >= vocab_size or int(tokens.min()) == DOCUMENT_MARKER_ID):
        raise InvalidConfiguration(
            f"Chunk {row.chunk_id} holds the document marker or a token beyond its {vocab_size} ids",
            "Encode it with the tokenizer of its shard",
        )
    return np.concatenate([np.array([DOCUMENT_MARKER_ID], TOKEN_DTYPE), tokens])


def _read_manifest(path: Path) -> ShardManifest:
    try:
        values = json.loads(fetched(path).read_bytes())
        known = {field.name: values[field.name] for field in fields(ShardManifest)}
        manifest = ShardManifest(**known | {"corpora": tuple(values["corpora"])})
        _require_meaning(manifest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptArtefact(f"{path} is not the manifest of a shard ({error!r})", REMEDY) from error
    if manifest.format_version != FORMAT_VERSION:
        raise CorruptArtefact(
            f"The shard {path} has format version {manifest.format_version}, not {FORMAT_VERSION}", REMEDY
        )
    if manifest.n_tokens < 1 or manifest.n_chunks < 1:
        raise CorruptArtefact(f"The shard {path} is empty", REMEDY)
    return manifest


def _require_meaning(manifest: ShardManifest) -> None:
    """Raise TypeError or ValueError for values that no writer of shards states."""
    for field in fields(manifest):
        value = getattr(manifest, field.name)
        # An annotation is a text; the only one that is neither of the two is the tuple of corpora.
        if type(value) is not {"int": int, "str": str}.get(str(field.type), tuple):
            raise TypeError(f"{field.name} is {value!r}")
    for sha256 in (manifest.tokenizer_sha256, manifest.sha256, manifest.index_sha256):
        bytes.fromhex(sha256)
    if manifest.split not in SPLITS:
        raise ValueError(f"split is {manifest.split!r}")


def _mapped(path: Path, manifest: ShardManifest) -> Tokens:
    expected = manifest.n_tokens * TOKEN_DTYPE.itemsize
    try:
        n_bytes = path.stat().st_size
        if n_bytes != expected:
            raise CorruptArtefact(f"{path} has {n_bytes} bytes where its manifest states {expected}", REMEDY)
        return np.memmap(path, TOKEN_DTYPE, mode="r")
    except OSError as error:
        raise CorruptArtefact(f"{path} cannot be read ({error.strerror})", REMEDY) from error


def _read_index(path: Path, manifest: ShardManifest, *, mapped: bool) -> NDArray[np.void]:
    try:
        index: NDArray[np.void] = np.load(path, mmap_mode="r", allow_pickle=False)
    # The header is Python's spelling of a dictionary, so a damaged one fails as a program would.
    except (OSError, ValueError, TypeError, EOFError, SyntaxError, TokenError) as error:
        raise CorruptArtefact(f"{path} cannot be read ({error})", REMEDY) from error
    if index.dtype != INDEX_DTYPE or index.shape != (manifest.n_chunks,):
        raise CorruptArtefact(f"{path} does not hold the {manifest.n_chunks} chunks of its manifest", REMEDY)
    return index if mapped else np.array(index)


def _loaded_index(path: Path, manifest: ShardManifest) -> NDArray[np.void]:
    index = _read_index(path, manifest, mapped=False)
    starts, ends = index["token_start"], index["token_end"]
    adjoining = np.array_equal(starts, np.concatenate([[0], ends[:-1]])) and bool((ends > starts).all())
    counted = (int(ends[-1]), int(index["n_bytes"].sum(dtype=np.int64)))
    if (
        not adjoining
        or counted != (manifest.n_tokens, manifest.n_bytes)
        or int(index["corpus"].max()) >= len(manifest.corpora)
    ):
        raise CorruptArtefact(f"{path} does not describe the tokens beside it", REMEDY)
    return index


def _verify(
    tokens_path: Path, index_path: Path, manifest: ShardManifest, tokens: Tokens, index: NDArray[np.void]
) -> None:
    for path, stated in ((tokens_path, manifest.sha256), (index_path, manifest.index_sha256)):
        if file_sha256(path).hex() != stated:
            raise CorruptArtefact(f"{path} does not have the hash that its manifest states", REMEDY)
    if int(tokens.max()) >= manifest.vocab_size:
        raise CorruptArtefact(
            f"{tokens_path} holds a token outside its vocabulary of {manifest.vocab_size}", REMEDY
        )
    if tokens[index["token_start"]].any():
        raise CorruptArtefact(f"{tokens_path} has chunks that no document marker begins", REMEDY)
