-- The SQL text of a syntax tree, as DuckDB writes it.
SELECT json_deserialize_sql(CAST(? AS JSON));
