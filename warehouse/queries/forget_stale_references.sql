-- References of micromodels that saw text which was forgotten since.
SELECT DISTINCT reference.path
FROM corpus.reference AS reference
INNER JOIN corpus.reference_sample AS sample ON reference.reference_id = sample.reference_id
SEMI JOIN corpus.forgotten_chunk AS chunk ON sample.chunk_id = chunk.chunk_id
WHERE reference.kind = 'micromodel'
ORDER BY reference.path;
