SELECT
    checkpoint_id::VARCHAR AS checkpoint_id, experiment, recipe, kind, replicate, alias, preset, n_parameters, step,
    seed, bits_per_byte, lower(hex(sha256)) AS sha256, path, created_at
FROM models.checkpoint
WHERE checkpoint_id = $id;
