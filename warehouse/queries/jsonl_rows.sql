-- Rows of JSON Lines files. priority: the row of highest priority is kept of those that may be.
CREATE OR REPLACE TEMPORARY TABLE jsonl_row AS
SELECT
    *,
    row_number() OVER (
        ORDER BY
            CASE $keeper WHEN 'first' THEN -start_byte WHEN 'last' THEN start_byte ELSE n_characters END,
            id DESC,
            source DESC
    ) AS priority
FROM read_parquet($row_files);
