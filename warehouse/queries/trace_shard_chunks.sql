-- The chunks of a shard, in the order of its tokens.
SELECT
    shard_chunk.chunk_id::VARCHAR AS chunk_id, shard_chunk.token_start, shard_chunk.token_end
FROM tokens.shard_chunk
WHERE shard_chunk.shard_id = $id
ORDER BY shard_chunk.token_start
LIMIT $limit;
