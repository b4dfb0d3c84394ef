-- Every segment of the word index that holds a text.
SELECT DISTINCT index_file
FROM corpus.search_index
WHERE n_chunks > 0
ORDER BY index_file;
