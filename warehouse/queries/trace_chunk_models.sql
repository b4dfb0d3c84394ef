SELECT
    checkpoint.checkpoint_id::VARCHAR AS checkpoint_id, checkpoint.experiment, checkpoint.kind, checkpoint.replicate,
    sum((model_chunk.token_end - model_chunk.token_start) * model_chunk.times)::BIGINT AS n_tokens
FROM lineage.model_chunk
JOIN models.checkpoint ON checkpoint.checkpoint_id = model_chunk.checkpoint_id
WHERE model_chunk.chunk_id = $id
GROUP BY ALL
ORDER BY checkpoint.experiment, checkpoint.kind, checkpoint.replicate
LIMIT $limit;
