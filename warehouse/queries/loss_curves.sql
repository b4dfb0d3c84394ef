-- Training loss of the trunk and of each replicate of an experiment, in the order of the steps.
SELECT
    CASE WHEN replicate IS NULL THEN 'trunk' ELSE 'micromodel ' || replicate END AS name,
    list(loss ORDER BY step) AS losses
FROM models.training_metric
WHERE experiment = $experiment
GROUP BY replicate
ORDER BY replicate NULLS FIRST;
