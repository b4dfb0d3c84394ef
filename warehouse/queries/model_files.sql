-- Models of the newest experiment of each recipe, and the promoted ones.
SELECT
    path,
    sha256,
    recipe
FROM models.checkpoint
WHERE
    alias IS NOT NULL
    OR experiment IN (SELECT arg_max(experiment, created_at) FROM models.checkpoint GROUP BY recipe)
ORDER BY path;
