-- Time in the training loop: tokens between two logged steps over the speed that was logged for them.
WITH interval AS (
    SELECT
        n_tokens - lag(n_tokens, 1, 0) OVER (PARTITION BY replicate ORDER BY step) AS n_new_tokens,
        tokens_per_second
    FROM models.training_metric
    WHERE experiment = ?
)
SELECT coalesce(sum(n_new_tokens / tokens_per_second), 0.0)::DOUBLE AS seconds
FROM interval
WHERE tokens_per_second > 0 AND n_new_tokens > 0;
