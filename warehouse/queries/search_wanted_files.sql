-- Text files with texts that a search finds.
SELECT
    text_file,
    count(*) AS n_wanted
FROM read_parquet($path)
GROUP BY text_file
ORDER BY text_file;
