-- Shards that a name may mean: $low and $high enclose the ids that begin with it (NULL where it is none), $name is the file's name without ending.
WITH origin AS (
    SELECT shard_id FROM tokens.shard_origin
    WHERE shard_id BETWEEN $low AND $high OR parse_filename(path, true) = $name
    UNION
    SELECT shard_id FROM tokens.shard_chunk
    WHERE shard_id BETWEEN $low AND $high
)

SELECT
    origin.shard_id,
    shard_origin.path,
    shard_origin.recipe,
    shard_origin.split,
    shard_origin.n_tokens,
    shard.shard_id IS NOT NULL AS is_current,
    tokenizer.path AS tokenizer_path,
    tokenizer.sha256 AS tokenizer_sha256,
    coalesce(shard_origin.masked, []) AS masked
FROM origin
LEFT JOIN tokens.shard_origin AS shard_origin ON origin.shard_id = shard_origin.shard_id
LEFT JOIN tokens.shard AS shard ON origin.shard_id = shard.shard_id
LEFT JOIN tokens.tokenizer AS tokenizer ON shard_origin.tokenizer_id = tokenizer.tokenizer_id
ORDER BY origin.shard_id
LIMIT 10;
