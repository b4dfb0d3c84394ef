-- Past shards from before their origins were kept, whose ids lie between $low and $high: no more is known than their chunks.
SELECT DISTINCT
    shard_id,
    CAST(NULL AS VARCHAR) AS path,
    CAST(NULL AS VARCHAR) AS recipe,
    CAST(NULL AS VARCHAR) AS split,
    CAST(NULL AS BIGINT) AS n_tokens,
    FALSE AS is_current,
    CAST(NULL AS VARCHAR) AS tokenizer_path,
    CAST(NULL AS BLOB) AS tokenizer_sha256,
    CAST([] AS VARCHAR []) AS masked
FROM tokens.shard_chunk
WHERE shard_id BETWEEN $low AND $high
ORDER BY shard_id
LIMIT 10;
