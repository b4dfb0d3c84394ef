-- The trained models of a recipe, as folders below models/, and the hashes of their weights.
SELECT path, sha256
FROM models.checkpoint
WHERE recipe = $recipe AND kind IN ('trunk', 'micromodel')
ORDER BY path;
