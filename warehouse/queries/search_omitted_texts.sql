-- Texts of segments that no search finds, with their lengths; `indexed` is what the segments hold.
COPY (
    SELECT
        posting.text,
        posting.n_words
    FROM read_parquet($index_files) AS posting
    ANTI JOIN (
        SELECT (CAST(indexed.file_number AS BIGINT) << 32) + wanted.text_row AS text
        FROM read_parquet($wanted) AS wanted
        INNER JOIN indexed ON wanted.text_file = indexed.text_file
    ) AS found ON posting.text = found.text
    WHERE posting.word = ''
    ORDER BY posting.text
) TO $path (FORMAT parquet);
