-- Tables of the attached working database.
SELECT
    schema_name,
    table_name
FROM duckdb_tables()
WHERE database_name = 'working'
ORDER BY ALL;
