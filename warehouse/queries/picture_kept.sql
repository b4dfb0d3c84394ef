SELECT
    training_chunk.corpus,
    training_chunk.reason,
    count(*) AS n_chunks,
    sum(chunk.n_bytes)::BIGINT AS n_bytes
FROM corpus.training_chunk
JOIN corpus.chunk ON chunk.chunk_id = training_chunk.chunk_id
WHERE training_chunk.recipe = $recipe
GROUP BY ALL
ORDER BY training_chunk.corpus, n_bytes DESC, training_chunk.reason;
