-- Where the texts of some chunks lie, in a published copy: their rows are found by the ids, without a scan.
SELECT
    chunk_id,
    text_file,
    text_row
FROM corpus.chunk
WHERE rowid IN (
    SELECT chunk_row
    FROM corpus.chunk_place
    WHERE chunk_id IN (SELECT unnest(CAST($chunk_ids AS UUID [])))
);
