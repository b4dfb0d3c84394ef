-- Files that hold the passages of current chunks of a chunking.
SELECT DISTINCT passage_index.index_file
FROM corpus.passage_index AS passage_index
INNER JOIN corpus.current_chunk AS current_chunk ON passage_index.chunk_id = current_chunk.chunk_id
WHERE current_chunk.chunking_id = $chunking_id AND passage_index.rule = $rule
ORDER BY passage_index.index_file;
