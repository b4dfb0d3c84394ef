-- The rowid of a chunk in corpus.chunk, from the table that only published copies have.
SELECT chunk_row
FROM corpus.chunk_place
WHERE chunk_id = $chunk_id;
