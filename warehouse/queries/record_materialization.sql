-- A stage has reached its end.
DELETE FROM meta.unfinished
WHERE asset = $asset AND scope = $scope;

INSERT INTO meta.materialization (
    asset, scope, run_id, code_version, data_version, inputs, n_rows, seconds, peak_memory_bytes, "at"
)
VALUES (
    $asset, $scope, $run_id, $code_version, $data_version, $inputs, $n_rows, $seconds, $peak_memory_bytes, now()
);
