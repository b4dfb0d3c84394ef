-- The files and licences behind each evaluation over the whole report split.
SELECT model, suite, item_set, metric, value, corpus, path, licence, n_tokens
FROM lineage.evaluation_source
ORDER BY model, suite, item_set, n_tokens DESC;
