-- Buckets of one band with too many distinct texts for all their pairs, and their texts that are no centres: pairs of two
-- of these are left out.
INSERT INTO large_bucket
SELECT
    $band,
    n_texts,
    (n_texts - $n_centres) * (n_texts - $n_centres - 1) // 2
FROM bucket
WHERE n_texts > $bucket_limit;

INSERT INTO ordinary_text
SELECT number, $band
FROM bucketed
WHERE is_current AND NOT meets_all;
