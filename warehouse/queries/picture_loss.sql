SELECT replicate, n_tokens, loss, bits_per_byte
FROM models.training_metric
WHERE experiment = $experiment
ORDER BY replicate NULLS FIRST, step;
