-- What a chunking made of each document of the current files must account for all of it: no gap, no overlap.
-- Chunks and dropped ranges tile the bytes of a plain document. Chunks and dropped slices tile the characters that a
-- reader extracted from a record, and have its bytes; a record of which no chunk came is one dropped range.
-- corpora: names of the corpora of this build; empty means all.
WITH examined AS (
    SELECT
        document.document_id,
        document.stream_id,
        document.byte_start,
        document.byte_end,
        document.n_characters,
        list_contains(CAST($record_readers AS VARCHAR []), document.reader) AS has_records
    FROM corpus.document AS document
    INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
    INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
    WHERE
        source_file.retired_at IS NULL
        -- A file that changed before it was cut has no pieces, and says so in its status.
        AND source_file.status <> 'failed'
        AND (len(CAST($corpora AS VARCHAR [])) = 0 OR list_contains(CAST($corpora AS VARCHAR []), source_file.corpus))
),

piece AS (
    SELECT
        examined.document_id,
        CASE WHEN examined.has_records THEN chunk.char_start ELSE chunk.byte_start - examined.byte_start END AS piece_start,
        CASE WHEN examined.has_records THEN chunk.char_end ELSE chunk.byte_end - examined.byte_start END AS piece_end,
        -- A piece of a record has the bytes of the record.
        examined.has_records
        AND (chunk.byte_start <> examined.byte_start OR chunk.byte_end <> examined.byte_end) AS is_elsewhere
    FROM examined
    INNER JOIN corpus.chunk AS chunk
        ON examined.document_id = chunk.document_id AND chunk.chunking_id = $chunking_id
    UNION ALL
    SELECT
        examined.document_id,
        CASE
            WHEN NOT examined.has_records THEN dropped.byte_start - examined.byte_start
            ELSE coalesce(dropped.char_start, 0)
        END AS piece_start,
        CASE
            WHEN NOT examined.has_records THEN dropped.byte_end - examined.byte_start
            ELSE coalesce(dropped.char_end, examined.n_characters)
        END AS piece_end,
        examined.has_records
        AND (dropped.byte_start <> examined.byte_start OR dropped.byte_end <> examined.byte_end) AS is_elsewhere
    FROM (FROM corpus.dropped WHERE chunking_id = $chunking_id) AS dropped
    ASOF INNER JOIN examined
        ON dropped.stream_id = examined.stream_id AND dropped.byte_start >= examined.byte_start
    WHERE dropped.byte_end <= examined.byte_end
),

followed AS (
    SELECT
        document_id,
        piece_start,
        is_elsewhere,
        lag(piece_end, 1, 0) OVER (PARTITION BY document_id ORDER BY piece_start, piece_end) AS expected_start
    FROM piece
),

reached AS (
    SELECT document_id, max(piece_end) AS piece_end FROM piece GROUP BY document_id
),

violation AS (
    SELECT document_id, expected_start AS place FROM followed WHERE piece_start <> expected_start OR is_elsewhere
    UNION ALL
    SELECT examined.document_id, coalesce(reached.piece_end, 0) AS place
    FROM examined
    LEFT JOIN reached ON examined.document_id = reached.document_id
    WHERE
        coalesce(reached.piece_end, 0)
        <> CASE
            WHEN examined.has_records THEN examined.n_characters ELSE examined.byte_end - examined.byte_start
        END
)

SELECT
    (SELECT count(*) FROM examined) AS n_examined,
    count(*) AS n_violations,
    coalesce(min(format('document {} at {}', document_id, place), 5), []) AS examples
FROM violation;
