-- The newest commit: a published copy with the same one is up to date.
SELECT count(*) AS n_commits, max("at") AS newest, (SELECT count(*) FROM corpus.corpus) AS n_corpora
FROM meta.materialization;
