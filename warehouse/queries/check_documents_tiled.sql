-- The chunks of a chunking and the ranges that it dropped must tile each plain-text document of the current
-- files: no gap, no overlap. Structured readers leave out markup, so their documents are not examined.
-- corpora: names of the corpora of this build; empty means all.
WITH examined AS (
    SELECT document.document_id, document.stream_id, document.byte_start, document.byte_end
    FROM corpus.document AS document
    INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
    INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
    WHERE
        document.reader = 'plain'
        AND source_file.retired_at IS NULL
        -- A file that changed before it was cut has no pieces, and says so in its status.
        AND source_file.status <> 'failed'
        AND (len(CAST($corpora AS VARCHAR [])) = 0 OR list_contains(CAST($corpora AS VARCHAR []), source_file.corpus))
),

piece AS (
    SELECT examined.document_id, examined.byte_start AS document_start, chunk.byte_start, chunk.byte_end
    FROM examined
    INNER JOIN corpus.chunk AS chunk
        ON examined.document_id = chunk.document_id AND chunk.chunking_id = $chunking_id
    UNION ALL
    SELECT examined.document_id, examined.byte_start AS document_start, dropped.byte_start, dropped.byte_end
    FROM examined
    INNER JOIN corpus.dropped AS dropped
        ON examined.stream_id = dropped.stream_id
        AND dropped.chunking_id = $chunking_id
        AND examined.byte_start <= dropped.byte_start
        AND examined.byte_end >= dropped.byte_end
),

followed AS (
    SELECT
        document_id,
        byte_start,
        lag(byte_end, 1, document_start) OVER (PARTITION BY document_id ORDER BY byte_start, byte_end) AS expected_start
    FROM piece
),

reached AS (
    SELECT document_id, max(byte_end) AS byte_end FROM piece GROUP BY document_id
),

violation AS (
    SELECT document_id, expected_start AS byte_start FROM followed WHERE byte_start <> expected_start
    UNION ALL
    SELECT examined.document_id, examined.byte_end AS byte_start
    FROM examined
    LEFT JOIN reached ON examined.document_id = reached.document_id
    WHERE coalesce(reached.byte_end, examined.byte_start) <> examined.byte_end
)

SELECT
    (SELECT count(*) FROM examined) AS n_examined,
    count(*) AS n_violations,
    coalesce(min(format('document {} at byte {}', document_id, byte_start), 5), []) AS examples
FROM violation;
