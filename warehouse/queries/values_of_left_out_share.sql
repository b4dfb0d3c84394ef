-- The share of each chunk's characters that a recipe leaves out as repeated passages.
SELECT
    chunk.chunk_id,
    sum(repeated.char_end - repeated.char_start) / any_value(chunk.n_characters) AS value
FROM corpus.repeated_range AS repeated
INNER JOIN corpus.chunk AS chunk ON repeated.chunk_id = chunk.chunk_id
WHERE
    list_contains($removed_levels, repeated.level)
    AND repeated.n_documents >= $min_documents
    AND NOT ($keep_first AND repeated.is_first)
    AND NOT (list_contains($removed_levels, 'paragraph') AND repeated.paragraph_documents >= $min_documents)
GROUP BY chunk.chunk_id
