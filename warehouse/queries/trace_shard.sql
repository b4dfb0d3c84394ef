-- A shard, current or past.
WITH chunks AS (
    SELECT count(*) AS n_chunks, max(token_end) AS n_tokens
    FROM tokens.shard_chunk
    WHERE shard_id = $id
)
SELECT
    $id::VARCHAR AS shard_id,
    coalesce(
        (SELECT path FROM tokens.shard WHERE shard_id = $id),
        (SELECT 'past shard ' || path FROM tokens.shard_origin WHERE shard_id = $id), 'past shard'
    ) AS path,
    shard_origin.recipe, shard_origin.split, chunks.n_chunks, chunks.n_tokens,
    lower(hex(shard_origin.sha256)) AS sha256, array_to_string(shard_origin.masked, ', ') AS masked
FROM chunks
LEFT JOIN tokens.shard_origin ON shard_origin.shard_id = $id;
