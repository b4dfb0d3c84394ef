-- The model in use; before the first promotion the newest mix.
SELECT checkpoint_id::VARCHAR AS checkpoint_id, experiment
FROM models.checkpoint
WHERE recipe = $recipe AND (alias = 'promoted' OR kind = 'mixed_model')
ORDER BY alias = 'promoted' DESC NULLS LAST, created_at DESC
LIMIT 1;
