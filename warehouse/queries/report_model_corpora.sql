SELECT
    coalesce(corpus, 'source no longer held') AS corpus, count(*) AS n_files, sum(n_chunks)::BIGINT AS n_chunks,
    sum(n_tokens)::BIGINT AS n_tokens
FROM lineage.model_source
WHERE checkpoint_id = $checkpoint_id
GROUP BY ALL
ORDER BY n_tokens DESC, corpus;
