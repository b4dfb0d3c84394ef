-- Of two chunks that the recipe takes for the same, at most one may be kept: by verified similarity, or by their text.
WITH rule AS (
    SELECT
        definition ->> '$.duplicates.level' AS level,
        CAST(definition ->> '$.duplicates.threshold' AS REAL) AS threshold
    FROM corpus.recipe
    WHERE recipe = $recipe
),

kept AS (
    SELECT training_chunk.chunk_id, chunk.text_sha256
    FROM corpus.training_chunk AS training_chunk
    INNER JOIN corpus.chunk AS chunk ON training_chunk.chunk_id = chunk.chunk_id
    WHERE training_chunk.recipe = $recipe AND training_chunk.kept
),

verified AS (
    SELECT duplicate_pair.*
    FROM corpus.duplicate_pair AS duplicate_pair
    INNER JOIN rule ON duplicate_pair.jaccard >= rule.threshold AND rule.level = 'near'
),

violation AS (
    SELECT verified.chunk_a, verified.chunk_b, verified.jaccard
    FROM verified
    INNER JOIN kept AS a ON verified.chunk_a = a.chunk_id
    INNER JOIN kept AS b ON verified.chunk_b = b.chunk_id
    UNION ALL
    SELECT min(kept.chunk_id), max(kept.chunk_id), 1.0
    FROM kept
    INNER JOIN rule ON rule.level IN ('near', 'exact')
    GROUP BY kept.text_sha256
    HAVING count(*) > 1
)

SELECT
    (SELECT count(*) FROM verified) AS n_examined,
    count(*) AS n_violations,
    coalesce(min(format('{} and {} ({:.2f})', chunk_a, chunk_b, jaccard), 5), []) AS examples
FROM violation;
