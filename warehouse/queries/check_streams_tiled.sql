-- Documents and the dropped ranges outside them must tile each stream [0, n_bytes): no gap, no overlap.
WITH piece AS (
    SELECT stream_id, byte_start, byte_end FROM corpus.document
    UNION ALL
    SELECT stream_id, byte_start, byte_end FROM corpus.dropped WHERE chunking_id IS NULL
),

followed AS (
    SELECT
        stream_id,
        byte_start,
        lag(byte_end, 1, 0) OVER (PARTITION BY stream_id ORDER BY byte_start, byte_end) AS expected_start
    FROM piece
),

reached AS (
    SELECT stream_id, max(byte_end) AS byte_end FROM piece GROUP BY stream_id
),

violation AS (
    SELECT stream_id, expected_start AS byte_start FROM followed WHERE byte_start <> expected_start
    UNION ALL
    SELECT stream.stream_id, stream.n_bytes AS byte_start
    FROM corpus.stream AS stream
    LEFT JOIN reached ON stream.stream_id = reached.stream_id
    WHERE coalesce(reached.byte_end, 0) <> stream.n_bytes
)

SELECT
    (SELECT count(*) FROM corpus.stream) AS n_examined,
    count(*) AS n_violations,
    coalesce(min(format('stream {} at byte {}', stream_id, byte_start), 5), []) AS examples
FROM violation;
