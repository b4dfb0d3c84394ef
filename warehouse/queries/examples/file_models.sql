-- Lineage from files: every model that a file went into, and how much of it.
SELECT corpus, path, experiment, kind, replicate, alias, n_chunks, n_tokens
FROM lineage.source_model
ORDER BY corpus, path, experiment, kind, replicate
LIMIT 200;
