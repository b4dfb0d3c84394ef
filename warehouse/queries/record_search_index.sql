-- The segments that there are now, and what a search passes over in them.
DELETE FROM corpus.search_index
WHERE NOT list_contains(CAST($kept AS VARCHAR []), index_file);

INSERT INTO corpus.search_index (text_file, file_number, rule, index_file, n_chunks, n_words)
SELECT
    text_file,
    file_number,
    rule,
    index_file,
    n_chunks,
    n_words
FROM indexed;

DELETE FROM corpus.search_omission;

INSERT INTO corpus.search_omission (text, n_words)
SELECT
    text,
    n_words
FROM read_parquet($omitted);
