-- Of two chunks whose true similarity was found to reach the recipe's threshold, at most one may be kept.
WITH kept AS (
    SELECT chunk_id FROM corpus.training_chunk WHERE recipe = $recipe AND kept
),

rule AS (
    SELECT CAST(definition ->> '$.duplicates.threshold' AS REAL) AS threshold
    FROM corpus.recipe
    WHERE recipe = $recipe
),

verified AS (
    SELECT duplicate_pair.*
    FROM corpus.duplicate_pair AS duplicate_pair
    CROSS JOIN rule
    WHERE duplicate_pair.jaccard >= rule.threshold
),

violation AS (
    SELECT verified.chunk_a, verified.chunk_b, verified.jaccard
    FROM verified
    INNER JOIN kept AS a ON verified.chunk_a = a.chunk_id
    INNER JOIN kept AS b ON verified.chunk_b = b.chunk_id
)

SELECT
    (SELECT count(*) FROM verified) AS n_examined,
    count(*) AS n_violations,
    coalesce(min(format('{} and {} ({:.2f})', chunk_a, chunk_b, jaccard), 5), []) AS examples
FROM violation;
