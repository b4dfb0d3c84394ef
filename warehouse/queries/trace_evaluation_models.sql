-- The models of an evaluation, the newest first, with what it measured of each.
SELECT
    checkpoint.checkpoint_id::VARCHAR AS checkpoint_id, evaluation.model, evaluation.metric, evaluation.value,
    evaluation.ci_low, evaluation.ci_high, evaluation.n_items
FROM reports.evaluation
JOIN models.checkpoint ON checkpoint.checkpoint_id = evaluation.checkpoint_id
WHERE evaluation.suite || ': ' || evaluation.item_set = $id
ORDER BY checkpoint.created_at DESC, checkpoint.experiment, evaluation.metric, evaluation.value, evaluation.model
LIMIT $limit;
