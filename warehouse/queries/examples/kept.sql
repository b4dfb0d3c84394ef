-- What each recipe kept and dropped, and why.
SELECT
    training_chunk.recipe, training_chunk.corpus, coalesce(training_chunk.reason, 'kept') AS decision,
    count(*) AS n_chunks, sum(chunk.n_bytes)::BIGINT AS n_bytes
FROM corpus.training_chunk
JOIN corpus.chunk ON chunk.chunk_id = training_chunk.chunk_id
GROUP BY ALL
ORDER BY training_chunk.recipe, training_chunk.corpus, n_bytes DESC;
