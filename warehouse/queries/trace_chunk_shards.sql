SELECT
    shard_chunk.shard_id::VARCHAR AS shard_id, coalesce(shard.path, 'past shard') AS path,
    shard_chunk.token_start, shard_chunk.token_end
FROM tokens.shard_chunk
LEFT JOIN tokens.shard ON shard.shard_id = shard_chunk.shard_id
WHERE shard_chunk.chunk_id = $id
ORDER BY shard.path NULLS LAST, shard_chunk.shard_id
LIMIT $limit;
