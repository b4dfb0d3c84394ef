-- What a model was trained on, and how much of it cannot be traced to a file.
SELECT
    count(DISTINCT model_chunk.chunk_id) AS n_chunks,
    count(DISTINCT chunk_source.source_id) AS n_files,
    count(DISTINCT model_chunk.chunk_id) FILTER (chunk_source.source_id IS NULL) AS n_untraced
FROM lineage.model_chunk AS model_chunk
LEFT JOIN lineage.chunk_source AS chunk_source ON model_chunk.chunk_id = chunk_source.chunk_id
WHERE model_chunk.checkpoint_id = $checkpoint_id;
