-- Where the repeated passages stand. A line that never stands without a paragraph repeated as often is that paragraph's.
COPY (
    SELECT
        chunk_id,
        passage_id,
        CASE WHEN is_line THEN 'line' ELSE 'paragraph' END AS level,
        n_documents,
        paragraph_documents,
        is_first,
        char_start,
        char_end
    FROM place
    ANTI JOIN (
        SELECT passage_id
        FROM place
        GROUP BY passage_id
        HAVING bool_and(paragraph_documents >= n_documents)
    ) AS told USING (passage_id)
    ORDER BY chunk_id, char_start, char_end
) TO $path (FORMAT parquet);
