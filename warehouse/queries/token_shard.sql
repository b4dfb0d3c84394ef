-- Shards that a name may mean: $low and $high enclose the ids that begin with it (NULL where it is none), $name is the file's name without ending.
SELECT
    shard_origin.shard_id,
    shard_origin.path,
    shard_origin.recipe,
    shard_origin.split,
    shard_origin.n_tokens,
    shard.shard_id IS NOT NULL AS is_current,
    tokenizer.path AS tokenizer_path,
    tokenizer.sha256 AS tokenizer_sha256,
    shard_origin.masked
FROM tokens.shard_origin AS shard_origin
LEFT JOIN tokens.shard AS shard ON shard_origin.shard_id = shard.shard_id
LEFT JOIN tokens.tokenizer AS tokenizer ON shard_origin.tokenizer_id = tokenizer.tokenizer_id
WHERE
    shard_origin.shard_id BETWEEN $low AND $high
    OR parse_filename(shard_origin.path, true) = $name
ORDER BY shard_origin.shard_id
LIMIT 10;
