-- A row where this database knows the word index; copies that an earlier fakesmrt published do not.
SELECT table_name
FROM duckdb_tables()
WHERE schema_name = 'corpus' AND table_name = 'search_index';
