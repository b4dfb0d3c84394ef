-- Repeated passages that a rule leaves out of the chunks of a chunking: disjoint, in the order of their text.
SELECT
    chunk_id,
    char_start,
    char_end
FROM corpus.repeated_range
WHERE
    chunking_id = $chunking_id
    AND list_contains(CAST($remove AS VARCHAR []), level)
    AND n_documents >= $min_documents
    AND NOT ($keep_first AND is_first)
    AND NOT (list_contains(CAST($remove AS VARCHAR []), 'paragraph') AND paragraph_documents >= $min_documents)
ORDER BY chunk_id, char_start;
