-- The demo's corpora stop watching their files, which the next scan therefore retires.
DELETE FROM corpus.location
WHERE starts_with(corpus, 'demo_')
RETURNING corpus;
