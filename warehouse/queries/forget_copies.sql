-- Adds documents that an earlier fakesmrt recorded without a hash, where all their text (by one chunking) is that of
-- documents wanted by their own hash: files that are gone are never read again, so none of theirs gets a hash. A published
-- version may lack the column of the hashes. gone_copy: their ids.
CREATE OR REPLACE TEMP TABLE gone_copy AS
WITH unhashed AS (
    SELECT document_id
    FROM (
        SELECT CAST(NULL AS UUID) AS document_id, CAST(NULL AS BLOB) AS raw_sha256
        WHERE FALSE
        UNION ALL BY NAME
        SELECT *
        FROM corpus.document
    ) AS recorded
    WHERE raw_sha256 IS NULL
),

gone_text AS (
    SELECT gone_chunk.text_sha256, min(gone_chunk.sha256) AS sha256
    FROM gone_chunk
    SEMI JOIN wanted ON gone_chunk.sha256 = wanted.sha256 AND wanted.scope = 'document'
    GROUP BY gone_chunk.text_sha256
),

copied AS (
    SELECT chunk.document_id, min(gone_text.sha256) AS sha256
    FROM corpus.chunk AS chunk
    SEMI JOIN unhashed ON chunk.document_id = unhashed.document_id
    LEFT JOIN gone_text ON chunk.text_sha256 = gone_text.text_sha256
    GROUP BY chunk.document_id, chunk.chunking_id
    HAVING count(gone_text.text_sha256) = count(*)
)

SELECT document_id, min(sha256) AS sha256
FROM copied
ANTI JOIN gone_document USING (document_id)
GROUP BY document_id;

INSERT INTO gone_document BY NAME
SELECT
    document.document_id,
    document.stream_id,
    stream.source_id,
    document.byte_start,
    document.byte_end,
    copy.sha256
FROM corpus.document AS document
INNER JOIN gone_copy AS copy ON document.document_id = copy.document_id
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id;

INSERT INTO gone_range BY NAME
SELECT
    gone.stream_id,
    gone.source_id,
    gone.byte_start,
    gone.byte_end,
    gone.sha256
FROM gone_document AS gone
SEMI JOIN gone_copy USING (document_id);

INSERT INTO gone_chunk BY NAME
SELECT
    chunk.chunk_id,
    chunk.document_id,
    gone.source_id,
    gone.stream_id,
    chunk.chunking_id,
    chunk.byte_start,
    chunk.byte_end,
    chunk.text_sha256,
    chunk.text_file,
    chunk.text_row,
    TRUE AS is_of_gone_document,
    gone.sha256
FROM corpus.chunk AS chunk
INNER JOIN gone_document AS gone ON chunk.document_id = gone.document_id
SEMI JOIN gone_copy ON chunk.document_id = gone_copy.document_id
ANTI JOIN gone_chunk AS known ON chunk.chunk_id = known.chunk_id;
