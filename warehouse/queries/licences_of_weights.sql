-- What a model with these weights was trained on, by licence; no row for weights that nobody registered.
SELECT licence, n_files, n_tokens
FROM lineage.model_licence
WHERE checkpoint_id = (SELECT min(checkpoint_id) FROM models.checkpoint WHERE sha256 = $weights_sha256)
ORDER BY n_tokens DESC, licence;
