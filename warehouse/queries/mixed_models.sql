-- The mixed models of a recipe, as folders below models/, and how many members have a share in each.
SELECT
    checkpoint.path,
    count(checkpoint_parent.parent_id) AS n_members
FROM models.checkpoint AS checkpoint
LEFT JOIN models.checkpoint_parent AS checkpoint_parent
    ON checkpoint.checkpoint_id = checkpoint_parent.checkpoint_id
    AND checkpoint_parent.relation = 'mix'
    AND checkpoint_parent.weight > 0
WHERE checkpoint.recipe = $recipe AND checkpoint.kind = 'mixed_model'
GROUP BY checkpoint.path
ORDER BY checkpoint.path;
