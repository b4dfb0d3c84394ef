-- The shards that a model, or a model that it was made of, was trained on.
SELECT
    checkpoint_range.shard_id::VARCHAR AS shard_id, coalesce(max(shard_origin.path), 'past shard') AS path,
    max(shard_origin.recipe) AS recipe, max(shard_origin.split) AS split, any_value(shard.shard_id) IS NOT NULL AS is_current,
    sum((checkpoint_range.token_end - checkpoint_range.token_start) * checkpoint_range.times)::BIGINT AS n_tokens
FROM lineage.model_ancestor
JOIN models.checkpoint_range ON checkpoint_range.checkpoint_id = model_ancestor.ancestor_id
LEFT JOIN tokens.shard_origin ON shard_origin.shard_id = checkpoint_range.shard_id
LEFT JOIN tokens.shard ON shard.shard_id = checkpoint_range.shard_id
WHERE model_ancestor.checkpoint_id = $id
GROUP BY checkpoint_range.shard_id
ORDER BY path, checkpoint_range.shard_id
LIMIT $limit;
