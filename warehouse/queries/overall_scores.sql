-- Bits per byte of every model and baseline of an experiment on all of the report split.
SELECT
    model,
    value,
    ci_low,
    ci_high
FROM reports.evaluation
WHERE experiment = $experiment AND suite = 'bits_per_byte' AND item_set = 'report/all'
ORDER BY checkpoint_id IS NULL, model;
