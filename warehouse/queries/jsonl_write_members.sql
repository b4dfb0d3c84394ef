-- What the band join is told of each row: older files were compared among themselves by their owner.
COPY (
    SELECT chunk_id, text_sha256, true AS is_current, source > 0 AS is_known
    FROM jsonl_row
) TO $path (FORMAT parquet);
