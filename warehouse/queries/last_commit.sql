-- The newest commit, and how much is registered and forgotten: a published copy with the same is up to date.
SELECT
    count(*) AS n_commits,
    max("at") AS newest,
    (SELECT count(*) FROM corpus.corpus) AS n_corpora,
    (SELECT count(*) FROM corpus.location) AS n_locations,
    (SELECT count(*) FROM corpus.forgotten) AS n_forgotten
FROM meta.materialization;
