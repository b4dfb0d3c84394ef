-- The largest verified likeness of each chunk to another.
SELECT
    chunk_id,
    CAST(max(jaccard) AS DOUBLE) AS value
FROM (
    SELECT chunk_a AS chunk_id, jaccard FROM corpus.duplicate_pair
    UNION ALL
    SELECT chunk_b, jaccard FROM corpus.duplicate_pair
) AS likeness
GROUP BY chunk_id
