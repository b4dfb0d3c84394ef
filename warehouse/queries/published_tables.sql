-- Tables of the schema corpus in the attached published copy, but for the recipes.
SELECT table_name
FROM duckdb_tables()
WHERE database_name = 'published' AND schema_name = 'corpus' AND table_name <> 'recipe';
