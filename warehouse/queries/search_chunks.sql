-- The $n chunks that answer $question best and hold $n_words of its words or more.
SELECT
    chunk_id,
    score,
    n_words_found
FROM corpus.search(CAST($question AS VARCHAR), n := $n, least := $n_words);
