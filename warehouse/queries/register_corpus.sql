-- A corpus that is known keeps its split unit and the day that it was added.
MERGE INTO corpus.corpus AS known
USING (SELECT $corpus AS corpus, $licence AS licence, $url AS url, $weight AS weight) AS given
    ON known.corpus = given.corpus
WHEN MATCHED THEN UPDATE SET licence = given.licence, url = coalesce(given.url, known.url), weight = coalesce(given.weight, known.weight)
WHEN NOT MATCHED THEN INSERT (corpus, licence, url, weight, split_unit, added_at)
    VALUES (given.corpus, given.licence, given.url, coalesce(given.weight, 1.0), NULL, now());
