-- Where the texts of some chunks lie.
SELECT
    chunk_id,
    text_file,
    text_row
FROM corpus.chunk
WHERE chunk_id IN (SELECT unnest(CAST($chunk_ids AS UUID [])))
ORDER BY text_file, text_row;
