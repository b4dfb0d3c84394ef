-- Text files and the rows that chunks name in them.
SELECT
    text_file,
    max(text_row) + 1 AS n_rows
FROM corpus.chunk
GROUP BY text_file
ORDER BY text_file;
