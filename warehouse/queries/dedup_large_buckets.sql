-- Buckets of one band with too many distinct texts for all their pairs. Left out are the pairs of two texts
-- of which neither is among the bucket's first $n_centres.
INSERT INTO large_bucket
SELECT
    $band,
    count(*) AS n_texts,
    (n_texts - $n_centres) * (n_texts - $n_centres - 1) // 2
FROM (
    SELECT COLUMNS(lambda name: name = $band) AS key
    FROM representative_band
)
WHERE key IS NOT NULL
GROUP BY key
HAVING n_texts > $bucket_limit;
