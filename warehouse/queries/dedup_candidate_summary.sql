-- What a join found.
SELECT
    (SELECT count(*) FROM representative WHERE is_current) AS n_texts,
    (SELECT count(*) FROM (SELECT DISTINCT chunk_a, chunk_b FROM candidate)) AS n_pairs,
    count(*) AS n_large_buckets,
    coalesce(max(n_texts), 0) AS n_texts_of_largest_bucket,
    coalesce(sum(n_pairs_left_out), 0)::BIGINT AS n_pairs_left_out
FROM large_bucket;
