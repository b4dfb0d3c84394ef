-- What the word index holds.
SELECT
    text_file,
    file_number,
    rule,
    index_file,
    n_chunks
FROM corpus.search_index
ORDER BY file_number;
