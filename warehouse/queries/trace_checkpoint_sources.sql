SELECT path, corpus, licence, source_id::VARCHAR AS source_id, n_chunks, n_tokens
FROM lineage.model_source
WHERE checkpoint_id = $id
ORDER BY n_tokens DESC, path
LIMIT $limit;
