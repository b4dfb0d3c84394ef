-- The newest commit of an asset in a scope, and whether a run has begun since that did not reach its end.
SELECT
    made.data_version,
    made.code_version,
    made.inputs,
    made.n_rows,
    EXISTS (
        FROM meta.unfinished AS unfinished
        WHERE unfinished.asset = made.asset AND unfinished.scope = made.scope
    ) AS is_unfinished
FROM meta.materialization AS made
WHERE made.asset = $asset AND made.scope = $scope
ORDER BY made."at" DESC
LIMIT 1;
