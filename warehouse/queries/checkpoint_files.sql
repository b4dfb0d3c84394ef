-- The trained models of a recipe's current experiment, as folders below models/, and the hashes of their weights.
SELECT path, sha256
FROM models.checkpoint
WHERE
    recipe = $recipe
    AND kind IN ('trunk', 'micromodel')
    AND experiment = (
        SELECT arg_max(newest.experiment, newest.created_at)
        FROM models.checkpoint AS newest
        WHERE newest.recipe = $recipe AND newest.kind = 'micromodel'
    )
ORDER BY path;
