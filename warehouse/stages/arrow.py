"""Arrow schemas of what the stages commit, and the table of a list of rows.

Ids are UUIDs in Arrow too, so that DuckDB reads them as its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from warehouse.cleanser.signals import SIGNALS
from warehouse.textstore import stored_value

SOURCE_FILE = pa.schema(
    {
        "source_id": pa.uuid(),
        "corpus": pa.string(),
        "path": pa.string(),
        "sha256": pa.binary(),
        "n_bytes": pa.int64(),
        "modified_ns": pa.int64(),
        "changed_ns": pa.int64(),
        "media_type": pa.string(),
        "licence": pa.string(),
        "status": pa.string(),
        "error": pa.string(),
    }
)

STREAM = pa.schema(
    {
        "stream_id": pa.uuid(),
        "source_id": pa.uuid(),
        "ordinal": pa.int32(),
        "container": pa.string(),
        "member": pa.string(),
        "n_bytes": pa.int64(),
        "sha256": pa.binary(),
        "error": pa.string(),
        "code_version": pa.string(),
    }
)

DOCUMENT = pa.schema(
    {
        "document_id": pa.uuid(),
        "stream_id": pa.uuid(),
        "ordinal": pa.int32(),
        "byte_start": pa.int64(),
        "byte_end": pa.int64(),
        "reader": pa.string(),
        "reader_version": pa.string(),
        "encoding": pa.string(),
        "encoding_confidence": pa.float32(),
        "encoding_evidence": pa.string(),
        "language": pa.string(),
        "language_score": pa.float32(),
        "n_characters": pa.int64(),
        "title": pa.string(),
        "decoder_state": pa.string(),
        "encoding_regions": pa.string(),
        "raw_sha256": pa.binary(),
    }
)

DROPPED = pa.schema(
    {
        "stream_id": pa.uuid(),
        "chunking_id": pa.uuid(),
        "byte_start": pa.int64(),
        "byte_end": pa.int64(),
        "reason": pa.string(),
        "char_start": pa.int64(),
        "char_end": pa.int64(),
    }
)

SOURCE = pa.schema({"source_id": pa.uuid()})

SOURCE_STATUS = pa.schema({"source_id": pa.uuid(), "status": pa.string(), "error": pa.string()})

SIGNAL_TYPES = {
    "int16": pa.int16(),
    "int32": pa.int32(),
    "float32": pa.float32(),
    "bool": pa.bool_(),
    "str": pa.string(),
}

CHUNK = pa.schema(
    {
        "chunk_id": pa.uuid(),
        "document_id": pa.uuid(),
        "chunking_id": pa.uuid(),
        "ordinal": pa.int32(),
        "byte_start": pa.int64(),
        "byte_end": pa.int64(),
        "char_start": pa.int64(),
        "char_end": pa.int64(),
        "encoding": pa.string(),
        "encoding_confidence": pa.float32(),
        "encoding_evidence": pa.string(),
        "decoder_state": pa.string(),
        "repair": pa.string(),
        "n_replaced": pa.int32(),
        "n_characters": pa.int32(),
        "n_bytes": pa.int32(),
        "text_sha256": pa.binary(),
        "text_file": pa.string(),
        "text_row": pa.int32(),
        "split": pa.string(),
        **{signal.name: SIGNAL_TYPES[signal.dtype] for signal in SIGNALS},
    }
)

CUT_PART = pa.schema({"document_id": pa.uuid(), "chunking_id": pa.uuid()})

PRIVATE_RANGE = pa.schema(
    {"chunk_id": pa.uuid(), "kind": pa.string(), "char_start": pa.int32(), "char_end": pa.int32()}
)

SIGNATURE = pa.schema({"chunk_id": pa.uuid(), "sketch_id": pa.uuid(), "index_file": pa.string()})

PASSAGE_INDEX = pa.schema({"chunk_id": pa.uuid(), "rule": pa.string(), "index_file": pa.string()})

SEARCH_INDEX = pa.schema(
    {
        "text_file": pa.string(),
        "file_number": pa.int32(),
        "rule": pa.string(),
        "index_file": pa.string(),
        "n_chunks": pa.int32(),
        "n_words": pa.int64(),
    }
)

REFERENCE_SAMPLE = pa.schema({"reference_id": pa.uuid(), "chunk_id": pa.uuid(), "fold": pa.int16()})

PERPLEXITY = pa.schema(
    {
        "chunk_id": pa.uuid(),
        "reference_id": pa.uuid(),
        "fold": pa.int16(),
        "bits_per_byte": pa.float32(),
        "perplexity": pa.float32(),
        "n_tokens": pa.int32(),
    }
)

SHARD_CHUNK = pa.schema(
    {"shard_id": pa.uuid(), "chunk_id": pa.uuid(), "token_start": pa.int64(), "token_end": pa.int64()}
)

LEFT_OUT = pa.schema(
    {"shard_id": pa.uuid(), "chunk_id": pa.uuid(), "char_start": pa.int32(), "char_end": pa.int32()}
)

EVALUATION_FILE = pa.schema(
    {
        "evaluation_set": pa.string(),
        "path": pa.string(),
        "sha256": pa.binary(),
        "file_id": pa.uuid(),
        "n_items": pa.int32(),
        "n_unsearched": pa.int32(),
        "is_new": pa.bool_(),
    }
)

EVALUATION_ITEM = pa.schema(
    {
        "item_id": pa.uuid(),
        "evaluation_set": pa.string(),
        "path": pa.string(),
        "ordinal": pa.int32(),
        "n_words": pa.int32(),
        "is_searched": pa.bool_(),
    }
)

CONTAMINATION = pa.schema(
    {
        "chunk_id": pa.uuid(),
        "item_id": pa.uuid(),
        "rule": pa.string(),
        "score": pa.float32(),
        "n_words": pa.int32(),
    }
)

TEXT = pa.schema({"chunk_id": pa.uuid(), "document_id": pa.uuid(), "text": pa.string()})


def arrow_table(schema: pa.Schema, rows: Sequence[Mapping[str, object]]) -> pa.Table:
    """A table of `rows`; every row has a value for every column of `schema`.

    Raises:
        KeyError: if a row lacks a column.
    """
    columns = [pa.array([stored_value(row[field.name]) for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)
