-- The newest commit of an asset in a scope.
SELECT data_version, code_version, inputs, n_rows
FROM meta.materialization
WHERE asset = ? AND scope = ?
ORDER BY "at" DESC
LIMIT 1;
