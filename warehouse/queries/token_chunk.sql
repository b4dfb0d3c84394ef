-- The chunk that a token of a shard belongs to, and its tokens.
SELECT
    chunk_id,
    token_start,
    token_end
FROM tokens.shard_chunk
WHERE shard_id = $shard_id AND token_start <= $token AND token_end > $token;
