DELETE FROM corpus.recipe
WHERE recipe = $recipe;

INSERT INTO corpus.recipe (recipe, sha256, chunking_id, reference_id, definition)
VALUES ($recipe, $sha256, $chunking_id, $reference_id, $definition);
