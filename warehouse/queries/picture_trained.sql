-- Tokens of each corpus and licence that each model of an experiment was itself trained on.
SELECT
    model_chunk.checkpoint_id::VARCHAR AS checkpoint_id,
    coalesce(chunk_source.corpus, 'no longer held') AS corpus,
    coalesce(chunk_source.licence, 'unknown') AS licence,
    sum((model_chunk.token_end - model_chunk.token_start) * model_chunk.times)::BIGINT AS n_tokens
FROM models.checkpoint
JOIN lineage.model_chunk
    ON model_chunk.checkpoint_id = checkpoint.checkpoint_id AND model_chunk.trained_id = checkpoint.checkpoint_id
LEFT JOIN lineage.chunk_source ON chunk_source.chunk_id = model_chunk.chunk_id
WHERE checkpoint.experiment = $experiment
GROUP BY ALL
ORDER BY n_tokens DESC, corpus, licence, checkpoint_id;
