-- Each value of a signal, an expression over the columns of chunks that is put in.
SELECT chunk_id, CAST($signal AS DOUBLE) AS value
FROM corpus.chunk
WHERE chunking_id = $chunking_id
