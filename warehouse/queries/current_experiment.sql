-- The experiment whose micromodels were recorded last for a recipe.
SELECT experiment
FROM models.checkpoint
WHERE recipe = $recipe AND kind = 'micromodel'
ORDER BY created_at DESC, experiment
LIMIT 1;
