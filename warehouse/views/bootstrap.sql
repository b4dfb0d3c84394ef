-- The Poisson bootstrap of warehouse/tokens/bootstrap.py in SQL: the same numbers from the same hashes.

-- A uniform draw turned into a Poisson(1) number: how many of the cumulative probabilities P(X <= k) it reaches.
-- Exponents make the constants DOUBLE; without them DuckDB would compare as DECIMAL.
CREATE OR REPLACE MACRO meta.poisson_times(u) AS
    (u >= 0.36787944117144233e0)::INTEGER
    + (u >= 0.7357588823428847e0)::INTEGER
    + (u >= 0.9196986029286058e0)::INTEGER
    + (u >= 0.9810118431238462e0)::INTEGER
    + (u >= 0.9963401531726563e0)::INTEGER
    + (u >= 0.9994058151824183e0)::INTEGER
    + (u >= 0.999916758850712e0)::INTEGER
    + (u >= 0.9999897508033253e0)::INTEGER
    + (u >= 0.999998874797402e0)::INTEGER
    + (u >= 0.9999998885745217e0)::INTEGER
    + (u >= 0.9999999899522336e0)::INTEGER
    + (u >= 0.9999999991683892e0)::INTEGER
    + (u >= 0.9999999999364022e0)::INTEGER
    + (u >= 0.9999999999954802e0)::INTEGER
    + (u >= 0.9999999999997e0)::INTEGER
    + (u >= 0.9999999999999813e0)::INTEGER
    + (u >= 0.9999999999999989e0)::INTEGER;

-- How often replicate `seed` reads a document of weight 1.
CREATE OR REPLACE MACRO meta.bootstrap_times(document_id, seed) AS
    meta.poisson_times(meta.uniform_draw(document_id::VARCHAR, 'replicate-' || seed));

-- The same with a weight: what is left over a whole number is the chance of one more, by a second draw.
CREATE OR REPLACE MACRO meta.bootstrap_weighted_times(document_id, seed, weight) AS
    (floor(meta.bootstrap_times(document_id, seed) * weight::FLOAT::DOUBLE)
    + (meta.uniform_draw(document_id::VARCHAR, 'replicate-' || seed || '-weight')
        < meta.bootstrap_times(document_id, seed) * weight::FLOAT::DOUBLE
        - floor(meta.bootstrap_times(document_id, seed) * weight::FLOAT::DOUBLE))::INTEGER)::BIGINT;
