SELECT
    checkpoint.checkpoint_id::VARCHAR AS checkpoint_id, checkpoint.experiment, checkpoint.kind, checkpoint.replicate,
    count(DISTINCT chunk.chunk_id) AS n_chunks,
    sum((model_chunk.token_end - model_chunk.token_start) * model_chunk.times)::BIGINT AS n_tokens
FROM corpus.chunk
JOIN lineage.model_chunk ON model_chunk.chunk_id = chunk.chunk_id
JOIN models.checkpoint ON checkpoint.checkpoint_id = model_chunk.checkpoint_id
WHERE chunk.document_id = $id
GROUP BY ALL
ORDER BY checkpoint.experiment, checkpoint.kind, checkpoint.replicate
LIMIT $limit;
