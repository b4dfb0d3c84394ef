-- Signatures of chunks that are gone, their text lost or their document cut anew.
SELECT count(*) AS n_signatures
FROM corpus.signature AS signature
ANTI JOIN corpus.chunk AS chunk ON signature.chunk_id = chunk.chunk_id;
