-- The repeated passages that `passage_write_ranges.sql` found places of, each once.
COPY (
    SELECT
        place.passage_id,
        CASE WHEN bool_and(place.is_line) THEN 'line' ELSE 'paragraph' END AS level,
        any_value(place.n_documents) AS n_documents,
        count(*) AS n_occurrences,
        CAST(
            arg_min(
                place.char_end - place.char_start,
                {'original_id': place.original_id, 'ordinal': place.ordinal, 'char_start': place.char_start}
            ) AS INTEGER
        ) AS n_characters,
        arg_min(
            place.chunk_id,
            {
                'original_id': place.original_id,
                'ordinal': place.ordinal,
                'char_start': place.char_start,
                'chunk_id': place.chunk_id
            }
        ) AS first_chunk_id
    FROM place
    GROUP BY place.passage_id
    HAVING NOT bool_and(place.paragraph_documents >= place.n_documents)
    ORDER BY place.passage_id
) TO $path (FORMAT parquet);
