-- No words: what the view of the word index reads before there is one.
SELECT
    CAST(NULL AS VARCHAR) AS word,
    CAST(NULL AS BIGINT) AS text,
    CAST(NULL AS INTEGER) AS times,
    CAST(NULL AS INTEGER) AS n_words
LIMIT 0;
