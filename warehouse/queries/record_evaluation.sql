INSERT INTO reports.evaluation (
    checkpoint_id, recipe, experiment, model, suite, item_set, metric, value, n_items, ci_low, ci_high
)
VALUES (
    $checkpoint_id, $recipe, $experiment, $model, $suite, $item_set, $metric, $value, $n_items, $ci_low, $ci_high
);
