SELECT
    checkpoint.checkpoint_id::VARCHAR AS checkpoint_id, checkpoint.experiment, checkpoint.kind, checkpoint.replicate,
    sum((checkpoint_range.token_end - checkpoint_range.token_start) * checkpoint_range.times)::BIGINT AS n_tokens
FROM models.checkpoint_range
JOIN models.checkpoint ON checkpoint.checkpoint_id = checkpoint_range.checkpoint_id
WHERE checkpoint_range.shard_id = $id
GROUP BY ALL
ORDER BY checkpoint.experiment, checkpoint.kind, checkpoint.replicate
LIMIT $limit;
