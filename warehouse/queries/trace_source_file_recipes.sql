SELECT
    training_chunk.recipe,
    CASE WHEN training_chunk.kept THEN 'kept' ELSE 'dropped: ' || training_chunk.reason END AS decision,
    count(*) AS n_chunks,
    sum(chunk_source.byte_end - chunk_source.byte_start)::BIGINT AS n_bytes
FROM lineage.chunk_source
JOIN corpus.training_chunk ON training_chunk.chunk_id = chunk_source.chunk_id
WHERE chunk_source.source_id = $id
GROUP BY ALL
ORDER BY training_chunk.recipe, n_chunks DESC, decision
LIMIT $limit;
