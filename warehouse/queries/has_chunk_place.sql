-- Whether this database knows the row of each chunk: a published copy does.
SELECT count(*) > 0 AS has_chunk_place
FROM duckdb_tables()
WHERE schema_name = 'corpus' AND table_name = 'chunk_place';
