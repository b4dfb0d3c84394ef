-- Bits per byte of every model and baseline, newest experiment first, best first.
SELECT experiment, item_set, model, metric, value, ci_low, ci_high, n_items
FROM reports.evaluation
ORDER BY experiment, item_set, metric, value;
