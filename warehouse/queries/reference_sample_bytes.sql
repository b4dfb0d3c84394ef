-- Bytes of the text that a reference was trained on, as far as its chunks are held.
SELECT coalesce(sum(chunk.n_bytes), 0)
FROM corpus.reference_sample AS reference_sample
INNER JOIN corpus.chunk AS chunk ON reference_sample.chunk_id = chunk.chunk_id
WHERE reference_sample.reference_id = $reference_id;
