-- Segments that hold a text which no search finds; `indexed` is what they hold.
WITH found AS (
    SELECT
        text_file,
        count(*) AS n_wanted
    FROM read_parquet($wanted)
    GROUP BY text_file
)

SELECT DISTINCT indexed.index_file
FROM indexed
LEFT JOIN found ON indexed.text_file = found.text_file
WHERE indexed.n_chunks <> coalesce(found.n_wanted, 0)
ORDER BY indexed.index_file;
