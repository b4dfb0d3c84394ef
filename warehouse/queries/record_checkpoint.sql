INSERT INTO models.checkpoint (
    checkpoint_id, experiment, recipe, kind, replicate, step, preset, n_parameters, sha256, bits_per_byte, seed, path,
    created_at
)
VALUES (
    $checkpoint_id, $experiment, $recipe, $kind, $replicate, $step, $preset, $n_parameters, $sha256, $bits_per_byte,
    $seed, $path, now()
);
