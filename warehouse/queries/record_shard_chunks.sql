INSERT INTO tokens.shard_chunk (shard_id, chunk_id, token_start, token_end)
SELECT
    shard_id,
    chunk_id,
    token_start,
    token_end
FROM sharded
ANTI JOIN tokens.shard_chunk USING (shard_id);
