-- The storage version of the database file, as DuckDB writes it: v1.2.0+ for instance.
SELECT tags['storage_version'] AS storage_version
FROM duckdb_databases()
WHERE database_name = current_database();
