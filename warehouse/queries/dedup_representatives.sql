-- One row a text: of identical chunks the smallest takes part in the join, so a million copies cost one row.
-- A text is new unless the same chunk stood for it before: only then are its pairs already stored.
CREATE OR REPLACE TEMPORARY TABLE representative AS
WITH text AS (
    SELECT
        min(chunk_id) FILTER (is_current) AS chunk_id,
        min(chunk_id) FILTER (is_known) AS known_chunk_id
    FROM member
    GROUP BY text_sha256
    HAVING bool_or(is_current)
)
SELECT
    row_number() OVER (ORDER BY chunk_id) AS number,
    chunk_id,
    chunk_id IS DISTINCT FROM known_chunk_id AS is_new
FROM text;
