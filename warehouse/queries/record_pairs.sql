-- A pair that was found before, because its chunk stands for its text again, is not stored twice.
INSERT INTO corpus.duplicate_pair (chunk_a, chunk_b, jaccard, rule_version)
SELECT
    CAST(hex(chunk_a) AS UUID) AS chunk_a,
    CAST(hex(chunk_b) AS UUID) AS chunk_b,
    jaccard,
    rule_version
FROM read_parquet($pairs)
ANTI JOIN corpus.duplicate_pair AS known
    ON
        CAST(hex(chunk_a) AS UUID) = known.chunk_a
        AND CAST(hex(chunk_b) AS UUID) = known.chunk_b
        AND rule_version = known.rule_version;
