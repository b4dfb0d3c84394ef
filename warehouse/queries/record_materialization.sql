INSERT INTO meta.materialization (
    asset, scope, run_id, code_version, data_version, inputs, n_rows, seconds, peak_memory_bytes, "at"
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, now());
