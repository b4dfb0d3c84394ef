-- Repeated passages that shards leave out of some of their chunks, in the order of their text.
SELECT
    chunk_id,
    char_start,
    char_end
FROM tokens.left_out
WHERE
    (shard_id, chunk_id) IN (
        SELECT (shard_id, chunk_id)
        FROM (SELECT unnest(CAST($shard_ids AS UUID [])) AS shard_id, unnest(CAST($chunk_ids AS UUID [])) AS chunk_id)
    )
ORDER BY chunk_id, char_start;
