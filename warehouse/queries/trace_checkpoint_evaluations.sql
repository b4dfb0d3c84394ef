SELECT suite || ': ' || item_set AS item_set, metric, value, ci_low, ci_high, n_items
FROM reports.evaluation
WHERE checkpoint_id = $id
ORDER BY suite, item_set, metric
LIMIT $limit;
