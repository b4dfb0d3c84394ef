-- The chunking of a recipe, and how many chunks there are at most.
SELECT
    chunking_id,
    (SELECT count(*) FROM corpus.chunk) AS n_chunks
FROM corpus.recipe
WHERE recipe = $recipe;
