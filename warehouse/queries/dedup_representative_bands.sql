-- Band keys under small numbers, which sort as the chunks do; larger than memory it spills.
CREATE OR REPLACE TEMPORARY TABLE representative_band AS
SELECT
    representative.number,
    representative.is_new,
    any_value(COLUMNS(lambda name: name LIKE 'band_%'))
FROM read_parquet($band_files) AS stored
INNER JOIN representative
    ON stored.chunk_id = representative.chunk_id
GROUP BY representative.number, representative.is_new;
