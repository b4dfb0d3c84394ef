-- How much of an evaluation item, or of a held-out chunk, each chunk holds at most.
SELECT
    chunk_id,
    CAST(max(score) AS DOUBLE) AS value
FROM corpus.contamination
WHERE (evaluation_set = 'held_out') = $held_out AND rule = 'near_duplicate' AND counts
GROUP BY chunk_id
