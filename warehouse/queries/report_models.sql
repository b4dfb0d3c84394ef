-- The models of an experiment, with the tokens that each was itself trained on.
WITH trained AS (
    SELECT checkpoint_id, sum((token_end - token_start) * times)::BIGINT AS n_tokens
    FROM models.checkpoint_range
    GROUP BY checkpoint_id
)
SELECT
    checkpoint.checkpoint_id::VARCHAR AS checkpoint_id,
    checkpoint.kind,
    checkpoint.replicate,
    checkpoint.preset,
    checkpoint.n_parameters,
    checkpoint.step,
    checkpoint.seed,
    coalesce(trained.n_tokens, 0) AS n_tokens,
    checkpoint.bits_per_byte,
    checkpoint.alias,
    lower(hex(checkpoint.sha256)) AS sha256,
    checkpoint.path
FROM models.checkpoint
LEFT JOIN trained ON trained.checkpoint_id = checkpoint.checkpoint_id
WHERE checkpoint.experiment = $experiment
ORDER BY CASE checkpoint.kind WHEN 'trunk' THEN 0 WHEN 'micromodel' THEN 1 ELSE 2 END, checkpoint.replicate;
