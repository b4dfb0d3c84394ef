-- Bits per byte on the report split: one row a model and corpus; all of it bears the corpus "all".
SELECT
    coalesce(nullif(regexp_replace(item_set, '^report[^a-zA-Z0-9]*', ''), ''), 'all') AS corpus,
    model,
    value,
    ci_low,
    ci_high,
    checkpoint_id IS NULL AS is_baseline,
    n_items
FROM reports.evaluation
WHERE
    experiment = $experiment
    AND recipe = $recipe
    AND metric = 'bits_per_byte'
    AND (starts_with(item_set, 'report') OR item_set = 'all')
ORDER BY corpus, value, model;
