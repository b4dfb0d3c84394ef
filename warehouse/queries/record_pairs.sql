-- A pair that was found before, because its chunk stands for its text again, is not stored twice.
INSERT INTO corpus.duplicate_pair (chunk_a, chunk_b, jaccard, rule_version)
WITH verified AS (
    SELECT
        CAST(hex(chunk_a) AS UUID) AS chunk_a,
        CAST(hex(chunk_b) AS UUID) AS chunk_b,
        jaccard,
        rule_version
    FROM read_parquet($pairs)
)

SELECT
    chunk_a,
    chunk_b,
    jaccard,
    rule_version
FROM verified
ANTI JOIN corpus.duplicate_pair USING (chunk_a, chunk_b, rule_version);
