-- A recipe's models that saw text which was forgotten since.
SELECT checkpoint.checkpoint_id
FROM models.checkpoint AS checkpoint
SEMI JOIN models.stale_checkpoint AS stale ON checkpoint.checkpoint_id = stale.checkpoint_id
WHERE checkpoint.recipe = $recipe
ORDER BY checkpoint.checkpoint_id;
