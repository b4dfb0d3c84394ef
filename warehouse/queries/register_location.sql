INSERT INTO corpus.location (corpus, path)
SELECT $corpus, $path
WHERE NOT EXISTS (FROM corpus.location WHERE corpus = $corpus AND path = $path);
