SELECT checkpoint_id::VARCHAR AS checkpoint_id, experiment, kind, replicate, alias, n_chunks, n_tokens
FROM lineage.source_model
WHERE source_id = $id
ORDER BY experiment, kind, replicate
LIMIT $limit;
