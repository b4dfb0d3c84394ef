SELECT
    $id::VARCHAR AS shard_id, coalesce(max(shard.path), 'past shard') AS path, max(shard.recipe) AS recipe,
    max(shard.split) AS split, count(shard_chunk.chunk_id) AS n_chunks, max(shard_chunk.token_end) AS n_tokens,
    max(lower(hex(shard.sha256))) AS sha256
FROM tokens.shard_chunk
LEFT JOIN tokens.shard ON shard.shard_id = shard_chunk.shard_id
WHERE shard_chunk.shard_id = $id;
