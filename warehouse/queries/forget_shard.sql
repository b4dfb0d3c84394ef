-- A shard takes the place of the one that held forgotten chunks, also for a shard that was forgotten from before.
-- sharded: its chunks.
UPDATE tokens.replaced_shard
SET
    new_id = $new_id,
    path = $path,
    n_tokens = $n_tokens,
    n_chunks = $n_chunks,
    n_bytes = $n_bytes,
    sha256 = $sha256
WHERE new_id = $old_id;

DELETE FROM tokens.replaced_shard
WHERE old_id = $old_id;

INSERT INTO tokens.replaced_shard (old_id, new_id, path, n_tokens, n_chunks, n_bytes, sha256)
VALUES ($old_id, $new_id, $path, $n_tokens, $n_chunks, $n_bytes, $sha256);

INSERT INTO tokens.shard_chunk (shard_id, chunk_id, token_start, token_end)
SELECT
    shard_id,
    chunk_id,
    token_start,
    token_end
FROM sharded
ANTI JOIN tokens.shard_chunk USING (shard_id);
