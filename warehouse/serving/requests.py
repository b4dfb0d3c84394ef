"""What a stream is asked for, as values that JSON round-trips.

What lives here: requests, their bounds and their identity. What does not: how they are carried out (``source.py``).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, TypeVar

from warehouse.errors import InvalidConfiguration
from warehouse.identity import content_id
from warehouse.serving.tickets import IDENTITY_BYTES

FORMAT_VERSION = 1
MAX_SEED = (1 << 63) - 1
MAX_WORLD_SIZE = 65_535
MAX_BATCH_TOKENS = 1 << 22
MAX_BATCH_ROWS = 1 << 14
MAX_VERSION = (1 << 32) - 1
MAX_TICKET_BYTES = 1 << 16

Request = TypeVar("Request", bound="StreamRequest")


@dataclass(frozen=True, kw_only=True)
class StreamRequest:
    """What every stream is asked for.

    Attributes:
        recipe: whose chunks: those of its chunking, and of its shards where tokens are asked for.
        split: train, validation, select, confirm or report; None for all. Train unless said otherwise, so that
            nobody trains on what models are judged by.
        where: SQL condition over ``corpus.chunk_metadata``; None for every chunk.
        weight: SQL number over the same view: how often an epoch yields a chunk; what is left over a whole number
            is the chance of one more, drawn anew in each epoch and the same for all chunks of a document. None for
            the recipe's weights where tokens are asked for, else once.
        seed: of the order and the draws, 0 to 2^63 - 1.
        epochs: how often the selection is gone through, each time in a new order; None without end.
        world_size: into how many streams the selection is divided; every chunk belongs to exactly one.
        rank: which of them, from 0.
        version: number of a published version; None for the newest, or the one that a resume token names.
    """

    kind: ClassVar[str]

    recipe: str = "default"
    split: str | None = "train"
    where: str | None = None
    weight: str | None = None
    seed: int = 0
    epochs: int | None = 1
    world_size: int = 1
    rank: int = 0
    version: int | None = None

    def __post_init__(self) -> None:
        _require(0 <= self.seed <= MAX_SEED, f"The seed {self.seed} is impossible", "Use 0 to 2^63 - 1")
        _require(
            1 <= self.world_size <= MAX_WORLD_SIZE and 0 <= self.rank < self.world_size,
            f"There is no rank {self.rank} of {self.world_size}",
            f"Count ranks from 0, below a world_size of at most {MAX_WORLD_SIZE:,}",
        )
        _require(
            self.version is None or 1 <= self.version <= MAX_VERSION,
            f"There is no version {self.version}",
            "See: fakesmrt versions",
        )
        _require(
            self.epochs is None or self.epochs > 0,
            f"{self.epochs} epochs are nothing",
            "Ask for at least one, or for null: without end",
        )

    def identity(self) -> bytes:
        """Hash of what is selected and how it is divided: what a resume token must come from."""
        selecting = json.dumps(
            [self.kind, self.recipe, self.split, self.where, self.weight, self._selecting()]
        )
        return content_id(selecting, self.world_size, self.rank).bytes[:IDENTITY_BYTES]

    def _selecting(self) -> str:
        """What else decides the selection."""
        return ""

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class TokenRequest(StreamRequest):
    """Sequences of tokens from the shards of a recipe.

    The chunks of the selection stand one after the other, each begun by the document marker, and are cut into
    sequences. Each row holds one token more than a sequence, which is the first of the next row: a model's targets.

    Attributes:
        sequence_length: tokens of a sequence.
        batch_sequences: rows of a batch.
    """

    kind: ClassVar[str] = "tokens"

    epochs: int | None = None
    sequence_length: int = 256
    batch_sequences: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        _require(
            self.sequence_length >= 1
            and self.batch_sequences >= 1
            and self.sequence_length * self.batch_sequences <= MAX_BATCH_TOKENS,
            f"A batch of {self.batch_sequences} sequences of {self.sequence_length} tokens is impossible",
            f"Ask for 1 to {MAX_BATCH_TOKENS:,} tokens a batch",
        )


@dataclass(frozen=True, kw_only=True)
class ChunkRequest(StreamRequest):
    """Chunks with their text.

    Attributes:
        columns: of ``corpus.chunk_metadata``, which come with each chunk besides its id and text.
        kept_only: only chunks that the recipe keeps, as its shards were last written.
        batch_rows: largest number of chunks of a batch; the first batches are smaller.
    """

    kind: ClassVar[str] = "chunks"

    columns: tuple[str, ...] = ("corpus", "path", "licence", "language")
    kept_only: bool = False
    batch_rows: int = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        _require(
            1 <= self.batch_rows <= MAX_BATCH_ROWS,
            f"A batch of {self.batch_rows} chunks is impossible",
            f"Ask for 1 to {MAX_BATCH_ROWS:,}",
        )
        twice = [name for number, name in enumerate(self.columns) if name in self.columns[:number]]
        _require(not twice, f"Named twice among the columns: {', '.join(twice)}", "Name each column once")

    def _selecting(self) -> str:
        return "kept" if self.kept_only else ""


def to_json(request: StreamRequest, resume: str | None) -> bytes:
    """A request and a resume token as a Flight ticket or command."""
    return json.dumps(
        {"format": FORMAT_VERSION, "resume": resume, **request.to_dict()}, sort_keys=True
    ).encode()


def from_json(data: bytes) -> tuple[StreamRequest, str | None]:
    """Read what `to_json` wrote, or what a client in another language did: fields left out have their defaults.

    Raises:
        InvalidConfiguration: if it is of another version, or is no request.
    """
    _require(
        len(data) <= MAX_TICKET_BYTES,
        f"The ticket has {len(data):,} bytes; at most {MAX_TICKET_BYTES:,} are read",
        "Shorten its condition or weight",
    )
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidConfiguration(f"The ticket is no JSON ({error})", "See docs/serving.md") from error
    _require(isinstance(values, dict), "The ticket is no JSON object", "See docs/serving.md")
    version = values.pop("format", FORMAT_VERSION)
    _require(
        version == FORMAT_VERSION,
        f"The ticket has format version {version}; this server knows {FORMAT_VERSION}",
        "Use the same version of fakesmrt on both sides",
    )
    resume = values.pop("resume", None)
    _require(resume is None or isinstance(resume, str), "The resume token is no text", "See docs/serving.md")
    kinds = {type_.kind: type_ for type_ in (TokenRequest, ChunkRequest)}
    kind = values.pop("kind", None)
    _require(
        isinstance(kind, str) and kind in kinds,
        f"There is no kind {kind!r}",
        f"There are: {', '.join(kinds)}",
    )
    return _request(kinds[kind], values), resume


def _request(type_: type[Request], values: dict[str, Any]) -> Request:
    known = {field.name: field.default for field in fields(type_)}
    if unknown := sorted(values.keys() - known.keys()):
        raise InvalidConfiguration(
            f"A request for {type_.kind} has no {unknown[0]!r}", f"It has: {', '.join(sorted(known))}"
        )
    for name, value in values.items():
        _require(
            _is_of_type(value, known[name], name),
            f"{name} cannot be {json.dumps(value)}",
            "See docs/serving.md",
        )
    if "columns" in values:
        values = {**values, "columns": tuple(values["columns"])}
    return type_(**values)


NULLABLE = {"split", "where", "weight", "epochs", "version"}
WHOLE_NUMBERS = {
    "seed", "epochs", "world_size", "rank", "version", "sequence_length", "batch_sequences", "batch_rows"
}  # fmt: skip


def _is_of_type(value: object, default: object, name: str) -> bool:
    if value is None:
        return name in NULLABLE
    if name in WHOLE_NUMBERS:
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(default, tuple):
        return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    return isinstance(value, bool) if isinstance(default, bool) else isinstance(value, str)


def _require(holds: bool, cause: str, remedy: str) -> None:
    if not holds:
        raise InvalidConfiguration(cause, remedy)
