-- Nothing that is measured on may be trained on: neither the same text, nor a chunk of the same cluster.
WITH kept AS (
    SELECT
        training_chunk.chunk_id,
        training_chunk.split = 'train' AS trained_on,
        chunk.text_sha256,
        duplicate_cluster.cluster_id
    FROM corpus.training_chunk AS training_chunk
    INNER JOIN corpus.chunk AS chunk ON training_chunk.chunk_id = chunk.chunk_id
    INNER JOIN corpus.recipe AS recipe ON training_chunk.recipe = recipe.recipe
    LEFT JOIN corpus.duplicate_cluster AS duplicate_cluster
        ON chunk.chunk_id = duplicate_cluster.chunk_id
        AND duplicate_cluster.threshold = CAST(recipe.definition ->> '$.duplicates.threshold' AS REAL)
    WHERE training_chunk.recipe = $recipe AND training_chunk.kept
),

violation AS (
    SELECT min(chunk_id) AS chunk_id, 'text' AS shared
    FROM kept
    GROUP BY text_sha256
    HAVING bool_or(trained_on) AND NOT bool_and(trained_on)
    UNION ALL
    SELECT min(chunk_id) AS chunk_id, 'cluster' AS shared
    FROM kept
    WHERE cluster_id IS NOT NULL
    GROUP BY cluster_id
    HAVING bool_or(trained_on) AND NOT bool_and(trained_on)
)

SELECT
    (SELECT count(*) FROM kept) AS n_examined,
    count(*) AS n_violations,
    coalesce(min(format('chunk {} (same {})', chunk_id, shared), 5), []) AS examples
FROM violation;
