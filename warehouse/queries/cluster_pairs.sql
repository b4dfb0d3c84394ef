-- Verified pairs of a rule at or above a threshold.
COPY (
    SELECT
        unhex(replace(CAST(chunk_a AS VARCHAR), '-', '')) AS chunk_a,
        unhex(replace(CAST(chunk_b AS VARCHAR), '-', '')) AS chunk_b,
        jaccard
    FROM corpus.duplicate_pair
    WHERE rule_version = $rule_version AND jaccard >= CAST($threshold AS REAL)
) TO $path (FORMAT parquet);
