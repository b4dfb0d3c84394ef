-- One row where a database has all tables that forgetting needs; an earlier fakesmrt's has not.
SELECT 1 AS found
FROM duckdb_tables()
WHERE schema_name = 'tokens' AND table_name = 'replaced_shard' AND NOT temporary;
