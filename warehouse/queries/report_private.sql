-- How much private data of each kind the chunks of a recipe's chunking hold, and whether the recipe masks it.
SELECT
    private_range.kind,
    count(*) AS n_ranges,
    count(DISTINCT private_range.chunk_id) AS n_chunks,
    coalesce(
        list_contains(from_json(recipe.definition -> '$.privacy.mask', '["VARCHAR"]'), private_range.kind), false
    ) AS is_masked
FROM corpus.recipe AS recipe
INNER JOIN corpus.chunk AS chunk ON recipe.chunking_id = chunk.chunking_id
INNER JOIN corpus.private_range AS private_range ON chunk.chunk_id = private_range.chunk_id
WHERE recipe.recipe = $recipe
GROUP BY ALL
ORDER BY n_ranges DESC, private_range.kind;
