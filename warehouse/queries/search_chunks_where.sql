-- The $n chunks that answer $question best, hold $n_words of its words or more, and meet $condition.
WITH
scored AS MATERIALIZED (
    SELECT
        search_index.text_file,
        CAST(found.text & 4294967295 AS INTEGER) AS text_row,
        found.score,
        found.n_words_found
    FROM corpus.search_scores(CAST($question AS VARCHAR)) AS found
    INNER JOIN corpus.search_index AS search_index ON found.text >> 32 = search_index.file_number
    WHERE found.n_words_found >= $n_words
),

fitting AS (
    SELECT
        chunk_id,
        text_file,
        text_row
    FROM corpus.chunk_metadata
    WHERE $condition
)

SELECT
    fitting.chunk_id,
    scored.score,
    scored.n_words_found
FROM scored
INNER JOIN fitting ON scored.text_file = fitting.text_file AND scored.text_row = fitting.text_row
ORDER BY scored.score DESC, fitting.chunk_id
LIMIT $n;
