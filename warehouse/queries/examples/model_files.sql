-- Lineage from models: the files that the promoted models saw, most tokens first.
SELECT experiment, corpus, path, licence, n_chunks, n_tokens
FROM lineage.model_source
WHERE alias = 'promoted'
ORDER BY experiment, n_tokens DESC, path
LIMIT 200;
