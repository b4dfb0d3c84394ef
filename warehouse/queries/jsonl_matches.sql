-- Texts of the searched file that an older file has, or has one like them: with the most similar older row.
CREATE OR REPLACE TEMPORARY TABLE jsonl_match AS
WITH text AS (
    SELECT
        text_sha256,
        min(chunk_id) AS chunk_id,
        bool_or(source = 0) AS is_new,
        min({'source': source, 'id': id}) FILTER (source > 0) AS older
    FROM jsonl_row
    GROUP BY text_sha256
),

pair AS (
    SELECT chunk_a, chunk_b, jaccard
    FROM read_parquet($pairs)
),

likeness AS (
    SELECT text_sha256, older, 1.0 AS jaccard, true AS same_text
    FROM text
    WHERE is_new AND older IS NOT NULL
    UNION ALL
    SELECT a.text_sha256, b.older, pair.jaccard, false
    FROM (
        SELECT chunk_a, chunk_b, jaccard FROM pair
        UNION ALL
        SELECT chunk_b, chunk_a, jaccard FROM pair
    ) AS pair
    INNER JOIN text AS a ON pair.chunk_a = a.chunk_id
    INNER JOIN text AS b ON pair.chunk_b = b.chunk_id
    WHERE a.is_new AND b.older IS NOT NULL
)

SELECT text_sha256, older.source AS keeper_source, older.id AS keeper_id, jaccard
FROM likeness
QUALIFY row_number() OVER (PARTITION BY text_sha256 ORDER BY jaccard DESC, same_text DESC, older) = 1;
