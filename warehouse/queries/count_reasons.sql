-- What a recipe keeps and drops, by corpus, split and reason.
SELECT
    training_chunk.corpus,
    training_chunk.split,
    training_chunk.reason,
    count(*) AS n_chunks,
    sum(chunk.n_bytes)::BIGINT AS n_bytes
FROM corpus.training_chunk AS training_chunk
INNER JOIN corpus.chunk AS chunk ON training_chunk.chunk_id = chunk.chunk_id
WHERE training_chunk.recipe = $recipe
GROUP BY ALL
ORDER BY ALL;
