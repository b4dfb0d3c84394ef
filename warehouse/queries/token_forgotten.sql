-- The file that a forgotten chunk was of.
SELECT source_id
FROM corpus.forgotten_chunk
WHERE chunk_id = $chunk_id
LIMIT 1;
