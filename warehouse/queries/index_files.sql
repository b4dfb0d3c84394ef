-- Files that hold the band keys of current chunks of a chunking.
SELECT DISTINCT signature.index_file
FROM corpus.signature AS signature
INNER JOIN corpus.chunk AS chunk ON signature.chunk_id = chunk.chunk_id
WHERE chunk.chunking_id = $chunking_id AND signature.sketch_id = $sketch_id
ORDER BY signature.index_file;
