-- What a recipe keeps and drops, by corpus, split and reason.
SELECT
    corpus,
    split,
    reason,
    count(*) AS n_chunks,
    sum(n_bytes)::BIGINT AS n_bytes
FROM corpus.training_chunk
WHERE recipe = $recipe
GROUP BY ALL
ORDER BY ALL;
