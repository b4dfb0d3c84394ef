-- One band: its keys, and the buckets that are large or that gained or lost a text since the last comparison.
CREATE OR REPLACE TEMPORARY TABLE keyed AS
SELECT DISTINCT number, is_current, was_known, COLUMNS(lambda name: name = $band) AS key
FROM representative_band
WHERE key IS NOT NULL;

CREATE OR REPLACE TEMPORARY TABLE bucket AS
SELECT
    key,
    count(*) FILTER (is_current) AS n_texts,
    count(*) FILTER (was_known) AS n_known_texts,
    bool_or(is_current <> was_known) AS is_changed
FROM keyed
GROUP BY key
HAVING n_texts > 1 AND (is_changed OR n_texts > $bucket_limit);

-- Every text of an ordinary bucket meets every other; of a large one only its first texts meet all.
CREATE OR REPLACE TEMPORARY TABLE bucketed AS
SELECT
    keyed.*,
    bucket.n_texts,
    bucket.is_changed,
    keyed.is_current AND (
        bucket.n_texts <= $bucket_limit
        OR row_number() OVER (PARTITION BY keyed.key, keyed.is_current ORDER BY keyed.number) <= $n_centres
    ) AS meets_all,
    keyed.was_known AND (
        bucket.n_known_texts <= $bucket_limit
        OR row_number() OVER (PARTITION BY keyed.key, keyed.was_known ORDER BY keyed.number) <= $n_centres
    ) AS met_all
FROM keyed
INNER JOIN bucket ON keyed.key = bucket.key;
