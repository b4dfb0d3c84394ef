-- Every text file that some chunk names.
SELECT DISTINCT text_file
FROM corpus.chunk
ORDER BY text_file;
