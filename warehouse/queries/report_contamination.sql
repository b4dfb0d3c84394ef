-- Evaluation items by set: how many are registered, how many were found in a recipe's chunks, in how many, and by which rule.
WITH
registered AS (
    SELECT
        evaluation_set,
        count(*) AS n_items
    FROM corpus.evaluation_item
    GROUP BY evaluation_set
),

found AS (
    SELECT
        contamination.evaluation_set,
        contamination.rule,
        count(DISTINCT contamination.item_id) AS n_found,
        count(DISTINCT contamination.chunk_id) AS n_chunks
    FROM corpus.recipe AS recipe
    INNER JOIN corpus.chunk AS chunk ON recipe.chunking_id = chunk.chunking_id
    INNER JOIN corpus.contamination AS contamination ON chunk.chunk_id = contamination.chunk_id
    WHERE recipe.recipe = $recipe
    GROUP BY ALL
)

SELECT
    coalesce(registered.evaluation_set, found.evaluation_set) AS evaluation_set,
    registered.n_items,
    found.rule,
    coalesce(found.n_found, 0) AS n_found,
    coalesce(found.n_chunks, 0) AS n_chunks
FROM registered
FULL JOIN found ON registered.evaluation_set = found.evaluation_set
ORDER BY ALL;
