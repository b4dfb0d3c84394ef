-- What the shards leave out of their chunks; what stands there already is of the same shard.
INSERT INTO tokens.left_out (shard_id, chunk_id, char_start, char_end)
SELECT
    shard_id,
    chunk_id,
    char_start,
    char_end
FROM left_out
ANTI JOIN tokens.left_out USING (shard_id);
