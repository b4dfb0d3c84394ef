-- Every table of a database file, schema and name.
SELECT
    schema_name,
    table_name
FROM duckdb_tables()
WHERE NOT internal AND database_name = current_database()
ORDER BY ALL;
