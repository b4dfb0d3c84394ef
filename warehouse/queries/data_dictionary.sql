-- Every column of every table and view, with the comments on both.
WITH relation AS (
    SELECT database_name, schema_name, table_name AS relation, 'table' AS kind, comment FROM duckdb_tables()
    WHERE NOT internal
    UNION ALL
    SELECT database_name, schema_name, view_name, 'view', comment FROM duckdb_views()
    WHERE NOT internal
)
SELECT
    relation.schema_name,
    relation.relation,
    relation.kind,
    coalesce(relation.comment, '') AS relation_comment,
    columns.column_name,
    columns.data_type,
    columns.is_nullable AS nullable,
    coalesce(columns.comment, '') AS comment
FROM relation
JOIN duckdb_columns() AS columns
    ON columns.database_name = relation.database_name
    AND columns.schema_name = relation.schema_name
    AND columns.table_name = relation.relation
WHERE relation.database_name = current_database() AND relation.schema_name <> 'main'
ORDER BY
    list_position(['meta', 'corpus', 'tokens', 'models', 'reports', 'statistics', 'lineage'], relation.schema_name),
    relation.kind,
    relation.relation,
    columns.column_index;
