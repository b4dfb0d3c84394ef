-- Readable name and id of each model of an experiment.
SELECT
    replace(kind, '_', ' ') || coalesce(' ' || replicate, '') AS model,
    checkpoint_id
FROM models.checkpoint
WHERE experiment = $experiment;
