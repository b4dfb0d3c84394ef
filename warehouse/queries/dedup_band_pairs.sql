-- Candidates of one band: texts that share its key, at least one of them new.
INSERT INTO candidate
WITH keyed AS (
    SELECT number, is_new, COLUMNS(lambda name: name = $band) AS key
    FROM representative_band
),

bucket AS (
    SELECT key, count(*) AS n_texts
    FROM keyed
    WHERE key IS NOT NULL
    GROUP BY key
    HAVING n_texts > 1 AND bool_or(is_new)
),

bucketed AS (
    SELECT keyed.number, keyed.is_new, keyed.key, bucket.n_texts
    FROM keyed
    INNER JOIN bucket ON keyed.key = bucket.key
),

-- Every text of an ordinary bucket meets every other; of a large one only its first texts meet all.
centre AS (
    SELECT number, is_new, key
    FROM bucketed
    QUALIFY
        n_texts <= $bucket_limit
        OR row_number() OVER (PARTITION BY key ORDER BY number) <= $n_centres
)

SELECT centre.number AS chunk_a, bucketed.number AS chunk_b
FROM centre
INNER JOIN bucketed
    ON centre.key = bucketed.key
    AND centre.number < bucketed.number
    AND (centre.is_new OR bucketed.is_new);
