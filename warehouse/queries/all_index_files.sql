-- Every index file that some chunk names.
SELECT index_file FROM corpus.signature
UNION
SELECT index_file FROM corpus.passage_index
UNION
SELECT index_file FROM corpus.search_index
ORDER BY index_file;
