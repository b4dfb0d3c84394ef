-- What of a database, the working one or a published version, is to be forgotten, in temporary tables. wanted: hashes
-- and scopes. known_range: rows of forget_ranges.sql; another version may have found other documents in these streams, or
-- may have lost their rows.
CREATE OR REPLACE TEMP TABLE gone_source AS
SELECT DISTINCT
    source_file.source_id,
    wanted.sha256
FROM corpus.source_file AS source_file
INNER JOIN wanted ON source_file.sha256 = wanted.sha256 AND wanted.scope = 'file';

CREATE OR REPLACE TEMP TABLE gone_stream AS
SELECT
    stream.stream_id,
    stream.source_id,
    gone_source.sha256
FROM corpus.stream AS stream
INNER JOIN gone_source ON stream.source_id = gone_source.source_id
UNION
SELECT
    stream.stream_id,
    stream.source_id,
    wanted.sha256
FROM corpus.stream AS stream
INNER JOIN wanted ON stream.sha256 = wanted.sha256 AND wanted.scope = 'file';

CREATE OR REPLACE TEMP TABLE gone_range AS
SELECT stream_id, source_id, byte_start, byte_end, sha256
FROM known_range
UNION
SELECT
    stream_id,
    source_id,
    0,
    9223372036854775807,
    sha256
FROM gone_stream;

CREATE OR REPLACE TEMP TABLE touched_document AS
SELECT
    document.document_id,
    document.stream_id,
    gone_range.source_id,
    document.byte_start,
    document.byte_end,
    gone_range.byte_start AS gone_start,
    gone_range.byte_end AS gone_end,
    gone_range.sha256,
    document.byte_start >= gone_range.byte_start AND document.byte_end <= gone_range.byte_end AS is_gone
FROM corpus.document AS document
INNER JOIN gone_range
    ON document.stream_id = gone_range.stream_id
    AND (
        (document.byte_start >= gone_range.byte_start AND document.byte_end <= gone_range.byte_end)
        OR (document.byte_start < gone_range.byte_end AND document.byte_end > gone_range.byte_start)
    );

CREATE OR REPLACE TEMP TABLE gone_document AS
SELECT
    document_id,
    stream_id,
    source_id,
    byte_start,
    byte_end,
    min(sha256) AS sha256
FROM touched_document
WHERE is_gone
GROUP BY ALL;

-- Of a document that only reaches into a range, the chunks that do.
CREATE OR REPLACE TEMP TABLE gone_chunk AS
SELECT
    chunk.chunk_id,
    chunk.document_id,
    touched.source_id,
    touched.stream_id,
    chunk.chunking_id,
    chunk.byte_start,
    chunk.byte_end,
    chunk.text_sha256,
    chunk.text_file,
    chunk.text_row,
    bool_or(touched.is_gone) AS is_of_gone_document,
    min(touched.sha256) AS sha256
FROM corpus.chunk AS chunk
INNER JOIN touched_document AS touched
    ON chunk.document_id = touched.document_id
    AND (touched.is_gone OR (chunk.byte_start < touched.gone_end AND chunk.byte_end > touched.gone_start))
GROUP BY ALL;
