-- Each row of the searched file that is in a cluster of two or more, with the row that is kept for it: of the rows
-- with the centre's very text the one of highest priority.
CREATE OR REPLACE TEMPORARY TABLE jsonl_member AS
WITH clustered AS (
    SELECT stored.cluster_id, stored.jaccard, jsonl_row.*
    FROM read_parquet($clusters) AS stored
    INNER JOIN jsonl_row ON stored.chunk_id = jsonl_row.chunk_id
),

keeper AS (
    SELECT clustered.cluster_id, max_by(clustered.id, clustered.priority) AS id
    FROM clustered
    INNER JOIN jsonl_row AS centre
        ON clustered.cluster_id = centre.chunk_id
        AND clustered.text_sha256 = centre.text_sha256
    GROUP BY clustered.cluster_id
)

SELECT
    clustered.id,
    keeper.id AS keeper_id,
    0 AS keeper_source,
    clustered.jaccard,
    clustered.id = keeper.id AS kept,
    clustered.start_byte
FROM clustered
INNER JOIN keeper ON clustered.cluster_id = keeper.cluster_id
UNION ALL
SELECT
    jsonl_row.id,
    jsonl_match.keeper_id,
    jsonl_match.keeper_source,
    CAST(jsonl_match.jaccard AS REAL),
    false,
    jsonl_row.start_byte
FROM jsonl_row
INNER JOIN jsonl_match ON jsonl_row.text_sha256 = jsonl_match.text_sha256
WHERE jsonl_row.source = 0;
