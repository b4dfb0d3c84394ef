SELECT
    recipe,
    chunking_id,
    reference_id,
    CAST(definition ->> '$.duplicates.threshold' AS DOUBLE) AS threshold
FROM corpus.recipe
WHERE recipe = $recipe;
