-- Every logged loss and every model's bits per byte must be a number.
WITH measured AS (
    SELECT
        format('{} replicate {} step {}', experiment, coalesce(replicate::VARCHAR, 'trunk'), step) AS subject,
        isfinite(loss) AND isfinite(coalesce(bits_per_byte, 0)) AS is_finite
    FROM models.training_metric
    WHERE experiment IN (SELECT experiment FROM models.checkpoint WHERE recipe = $recipe)
    UNION ALL
    SELECT format('{} {}', kind, checkpoint_id) AS subject, isfinite(bits_per_byte) AS is_finite
    FROM models.checkpoint
    WHERE recipe = $recipe
)

SELECT
    count(*) AS n_examined,
    count(*) FILTER (WHERE NOT is_finite) AS n_violations,
    coalesce(min(subject, 5) FILTER (WHERE NOT is_finite), []) AS examples
FROM measured;
