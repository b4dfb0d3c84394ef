-- The mixed models of a recipe's current experiment, as folders below models/, and how many members have a share in each.
SELECT
    checkpoint.path,
    count(checkpoint_parent.parent_id) AS n_members
FROM models.checkpoint AS checkpoint
LEFT JOIN models.checkpoint_parent AS checkpoint_parent
    ON checkpoint.checkpoint_id = checkpoint_parent.checkpoint_id
    AND checkpoint_parent.relation = 'mix'
    AND checkpoint_parent.weight > 0
WHERE
    checkpoint.recipe = $recipe
    AND checkpoint.kind = 'mixed_model'
    AND checkpoint.experiment = (
        SELECT arg_max(newest.experiment, newest.created_at)
        FROM models.checkpoint AS newest
        WHERE newest.recipe = $recipe AND newest.kind = 'micromodel'
    )
GROUP BY checkpoint.path
ORDER BY checkpoint.path;
