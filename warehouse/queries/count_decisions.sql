-- What a recipe keeps and drops, by corpus and reason, with tokens of its perplexity reference.
SELECT
    corpus,
    reason,
    count(*) AS n_chunks,
    sum(n_bytes)::BIGINT AS n_bytes,
    coalesce(sum(n_tokens), 0)::BIGINT AS n_tokens
FROM corpus.training_chunk
WHERE recipe = $recipe
GROUP BY ALL
ORDER BY ALL;
