-- Columns of corpus.chunk_metadata and their types; none where an earlier fakesmrt made the database.
SELECT
    column_name,
    data_type
FROM duckdb_columns()
WHERE schema_name = 'corpus' AND table_name = 'chunk_metadata' AND NOT internal
ORDER BY column_index;
