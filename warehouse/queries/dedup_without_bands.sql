-- Chunks that should take part in the join but lie in no band file.
SELECT
    count(*) AS n_chunks,
    lower(hex(min(chunk_id))) AS example
FROM representative
ANTI JOIN representative_band
    ON representative.number = representative_band.number
WHERE representative.is_current;
