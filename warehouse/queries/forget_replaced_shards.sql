-- The shards of a database become those that were written in their place. What is left out of their chunks is as it
-- was.
INSERT INTO tokens.left_out (shard_id, chunk_id, char_start, char_end)
SELECT DISTINCT
    replaced.new_id,
    left_out.chunk_id,
    left_out.char_start,
    left_out.char_end
FROM tokens.replaced_shard AS replaced
SEMI JOIN tokens.shard AS shard ON replaced.old_id = shard.shard_id
INNER JOIN tokens.left_out AS left_out ON replaced.old_id = left_out.shard_id
SEMI JOIN tokens.shard_chunk AS kept ON replaced.new_id = kept.shard_id AND left_out.chunk_id = kept.chunk_id
WHERE NOT EXISTS (FROM tokens.left_out AS known WHERE known.shard_id = replaced.new_id);

INSERT INTO tokens.shard_origin (shard_id, tokenizer_id, recipe, split, number, path, n_tokens, sha256, masked)
SELECT
    replaced.new_id,
    origin.tokenizer_id,
    origin.recipe,
    origin.split,
    origin.number,
    replaced.path,
    replaced.n_tokens,
    replaced.sha256,
    origin.masked
FROM tokens.replaced_shard AS replaced
INNER JOIN tokens.shard_origin AS origin ON replaced.old_id = origin.shard_id
WHERE
    replaced.new_id IS NOT NULL
    AND NOT EXISTS (FROM tokens.shard_origin AS known WHERE known.shard_id = replaced.new_id);

UPDATE tokens.shard
SET
    shard_id = replaced.new_id,
    path = replaced.path,
    n_tokens = replaced.n_tokens,
    n_chunks = replaced.n_chunks,
    n_bytes = replaced.n_bytes,
    sha256 = replaced.sha256
FROM tokens.replaced_shard AS replaced
WHERE shard.shard_id = replaced.old_id AND replaced.new_id IS NOT NULL;

DELETE FROM tokens.shard
WHERE shard_id IN (SELECT old_id FROM tokens.replaced_shard);
