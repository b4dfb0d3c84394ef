-- Band keys under small numbers; larger than memory it spills. A chunk may lie in several files.
CREATE OR REPLACE TEMPORARY TABLE representative_band AS
SELECT
    representative.number,
    representative.is_current,
    representative.was_known,
    COLUMNS(lambda name: name LIKE 'band_%')
FROM read_parquet($band_files) AS stored
INNER JOIN representative
    ON stored.chunk_id = representative.chunk_id;
