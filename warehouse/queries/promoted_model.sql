-- A recipe's model in use.
SELECT
    checkpoint_id,
    experiment,
    path
FROM models.checkpoint
WHERE recipe = $recipe AND alias = 'promoted'
LIMIT 1;
