-- Chunks that stand for a text, now or at the last comparison: of identical ones the smallest, so that a million copies
-- cost one row. The numbers sort as the chunks do.
CREATE OR REPLACE TEMPORARY TABLE representative AS
WITH text AS (
    SELECT
        min(chunk_id) FILTER (is_current) AS chunk_id,
        min(chunk_id) FILTER (is_known) AS known_chunk_id
    FROM member
    GROUP BY text_sha256
),

standing AS (
    SELECT chunk_id, TRUE AS is_current, FALSE AS was_known
    FROM text
    WHERE chunk_id IS NOT NULL
    UNION ALL
    SELECT known_chunk_id, FALSE, TRUE
    FROM text
    WHERE known_chunk_id IS NOT NULL
)

SELECT
    row_number() OVER (ORDER BY chunk_id) AS number,
    chunk_id,
    bool_or(is_current) AS is_current,
    bool_or(was_known) AS was_known
FROM standing
GROUP BY chunk_id;
