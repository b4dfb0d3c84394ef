-- A recipe as it was last built, in the published copy.
SELECT CAST(definition AS VARCHAR), chunking_id, reference_id
FROM published.corpus.recipe
WHERE recipe = $recipe;
