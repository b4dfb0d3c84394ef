-- What the models of an n-gram reference were trained on, as corpus.reference_sample: each but that of a chunk's fold.
CREATE OR REPLACE TEMP TABLE sampled AS
SELECT
    $reference_id AS reference_id,
    CAST(chunk_id AS UUID) AS chunk_id,
    fold
FROM drawn;
