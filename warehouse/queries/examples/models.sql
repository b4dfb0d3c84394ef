-- Every model, newest first.
SELECT checkpoint_id, experiment, kind, replicate, alias, preset, n_parameters, step, bits_per_byte, created_at
FROM models.checkpoint
ORDER BY created_at DESC, kind, replicate;
