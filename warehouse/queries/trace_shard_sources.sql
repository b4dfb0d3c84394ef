SELECT
    coalesce(chunk_source.path, 'source no longer held') AS path, chunk_source.corpus, chunk_source.licence,
    count(*) AS n_chunks, sum(shard_chunk.token_end - shard_chunk.token_start)::BIGINT AS n_tokens
FROM tokens.shard_chunk
LEFT JOIN lineage.chunk_source ON chunk_source.chunk_id = shard_chunk.chunk_id
WHERE shard_chunk.shard_id = $id
GROUP BY ALL
ORDER BY n_tokens DESC, path
LIMIT $limit;
