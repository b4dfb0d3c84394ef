-- A shard takes the place of the one that held forgotten chunks. sharded: its chunks. What is left out of them is as it
-- was.
UPDATE tokens.shard
SET
    shard_id = $new_id,
    path = $path,
    n_tokens = $n_tokens,
    n_chunks = $n_chunks,
    n_bytes = $n_bytes,
    sha256 = $sha256
WHERE shard_id = $old_id;

INSERT INTO tokens.left_out (shard_id, chunk_id, char_start, char_end)
SELECT
    $new_id,
    left_out.chunk_id,
    left_out.char_start,
    left_out.char_end
FROM tokens.left_out AS left_out
SEMI JOIN sharded ON left_out.chunk_id = sharded.chunk_id
WHERE
    left_out.shard_id = $old_id
    AND NOT EXISTS (FROM tokens.left_out AS known WHERE known.shard_id = $new_id);
