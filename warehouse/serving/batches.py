"""Batches of a stream, and how they look on the wire.

What lives here: what a caller gets, in-process or from a client, and its Arrow form. It imports no database.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from warehouse.errors import CorruptArtefact
from warehouse.serving.requests import StreamRequest
from warehouse.serving.tickets import POSITION, resume_token

HEADER = b"fakesmrt.header"
POSITION_COLUMN = "position"

TOKEN_SCHEMA = pa.schema(
    [
        pa.field("tokens", pa.list_(pa.field("token", pa.uint16(), nullable=False)), nullable=False),
        pa.field(POSITION_COLUMN, pa.binary(POSITION.itemsize), nullable=False),
    ]
)


@dataclass(frozen=True)
class TokenBatch:
    """Sequences of tokens.

    Attributes:
        tokens: uint16, shape (n_sequences, sequence_length + 1); each row's last token is the next row's first. The
            last batch of a finite stream may hold one shorter row.
        positions: `POSITION`, shape (n_sequences,): behind each row.
        header: of the stream, packed.
    """

    tokens: NDArray[np.uint16]
    positions: NDArray[np.void]
    header: bytes

    @property
    def inputs(self) -> NDArray[np.uint16]:
        """What a model reads: shape (n_sequences, sequence_length)."""
        return self.tokens[:, :-1]

    @property
    def targets(self) -> NDArray[np.uint16]:
        """The token after each input."""
        return self.tokens[:, 1:]

    @property
    def resume(self) -> str:
        """The token with which a stream goes on behind this batch."""
        return self.resume_after(-1)

    def resume_after(self, row: int) -> str:
        """The token with which a stream goes on behind one of its rows."""
        return resume_token(self.header, self.positions[row].tobytes())

    def to_arrow(self) -> pa.RecordBatch:
        """One row a sequence."""
        n_rows, width = self.tokens.shape
        values = pa.array(self.tokens.reshape(-1), pa.uint16())
        offsets = pa.array(np.arange(n_rows + 1, dtype=np.int32) * width)
        tokens = pa.ListArray.from_arrays(offsets, values, type=TOKEN_SCHEMA.field("tokens").type)
        return pa.RecordBatch.from_arrays([tokens, _position_array(self.positions)], schema=TOKEN_SCHEMA)

    @classmethod
    def from_arrow(cls, batch: pa.RecordBatch, header: bytes) -> TokenBatch:
        """What `to_arrow` made."""
        tokens = batch.column("tokens").flatten().to_numpy()
        return cls(tokens.reshape(batch.num_rows, -1), _positions(batch.column(POSITION_COLUMN)), header)


@dataclass(frozen=True)
class ChunkBatch:
    """Chunks with their text.

    Attributes:
        rows: columns chunk_id (UUID as text), those asked for, text.
        positions: `POSITION`, one behind each chunk.
        header: of the stream, packed.
    """

    rows: pa.RecordBatch
    positions: NDArray[np.void]
    header: bytes

    @property
    def resume(self) -> str:
        """The token with which a stream goes on behind this batch."""
        return self.resume_after(-1)

    def resume_after(self, row: int) -> str:
        """The token with which a stream goes on behind one of its chunks."""
        return resume_token(self.header, self.positions[row].tobytes())

    def to_arrow(self) -> pa.RecordBatch:
        """The rows with their positions."""
        return self.rows.append_column(
            pa.field(POSITION_COLUMN, pa.binary(POSITION.itemsize), nullable=False),
            _position_array(self.positions),
        )

    @classmethod
    def from_arrow(cls, batch: pa.RecordBatch, header: bytes) -> ChunkBatch:
        """What `to_arrow` made."""
        positions = _positions(batch.column(POSITION_COLUMN))
        return cls(batch.drop_columns([POSITION_COLUMN]), positions, header)


Batch = TokenBatch | ChunkBatch


def with_header(schema: pa.Schema, header: bytes) -> pa.Schema:
    """A schema that states the stream's header."""
    return schema.with_metadata({HEADER: base64.b64encode(header)})


def header_of(schema: pa.Schema) -> bytes:
    """The header that a stream's schema states.

    Raises:
        CorruptArtefact: if it states none.
    """
    stated = (schema.metadata or {}).get(HEADER)
    if stated is None:
        raise CorruptArtefact(
            "The stream does not come from fakesmrt serve", "Check the address of the server"
        )
    return base64.b64decode(stated)


def batch_type(request: StreamRequest) -> type[TokenBatch] | type[ChunkBatch]:
    """What a stream for this request yields."""
    return TokenBatch if request.kind == "tokens" else ChunkBatch


def _position_array(positions: NDArray[np.void]) -> pa.FixedSizeBinaryArray:
    data = pa.py_buffer(np.ascontiguousarray(positions))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(POSITION.itemsize), len(positions), [None, data])


def _positions(column: pa.FixedSizeBinaryArray) -> NDArray[np.void]:
    data = column.buffers()[1]
    return np.frombuffer(data, POSITION, count=len(column), offset=column.offset * POSITION.itemsize)
