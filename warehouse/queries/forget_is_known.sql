-- One row where a database has all tables that forgetting needs; an earlier fakesmrt's has not.
SELECT 1 AS found
FROM duckdb_tables()
WHERE schema_name = 'corpus' AND table_name = 'past_stream' AND NOT temporary;
