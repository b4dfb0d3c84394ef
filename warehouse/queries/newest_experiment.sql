SELECT experiment
FROM models.checkpoint
WHERE recipe = $recipe
ORDER BY created_at DESC, experiment
LIMIT 1;
