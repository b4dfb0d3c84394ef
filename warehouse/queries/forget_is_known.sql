-- One row where a database knows the table of what is being forgotten; an earlier fakesmrt's does not.
SELECT 1 AS found
FROM duckdb_tables()
WHERE schema_name = 'corpus' AND table_name = 'unfinished_forget' AND NOT temporary;
