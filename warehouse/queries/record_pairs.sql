-- Obsolete pairs and those of other rules go, verified ones come. A pair that is stored already, because another bucket
-- proposed it before, is not stored twice.
DELETE FROM corpus.duplicate_pair
WHERE rule_version <> $rule_version;

DELETE FROM corpus.duplicate_pair
USING read_parquet($obsolete) AS obsolete
WHERE
    duplicate_pair.chunk_a = CAST(hex(obsolete.chunk_a) AS UUID)
    AND duplicate_pair.chunk_b = CAST(hex(obsolete.chunk_b) AS UUID)
    AND duplicate_pair.rule_version = $rule_version;

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
