SELECT licence, n_files, n_chunks, n_tokens
FROM lineage.model_licence
WHERE checkpoint_id = $checkpoint_id
ORDER BY n_tokens DESC, licence;
