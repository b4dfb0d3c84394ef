-- Every recorded model of an experiment: the trunk, the members in order, the mix.
SELECT
    checkpoint_id,
    kind,
    replicate,
    step,
    preset,
    n_parameters,
    bits_per_byte,
    seed,
    path
FROM models.checkpoint
WHERE experiment = $experiment
ORDER BY kind = 'mixed_model', kind = 'micromodel', replicate;
