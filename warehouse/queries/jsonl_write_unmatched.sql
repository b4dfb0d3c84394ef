-- What the clustering is told of each row: only rows like nothing in an older file are grouped among themselves.
COPY (
    SELECT
        jsonl_row.chunk_id,
        jsonl_row.text_sha256,
        jsonl_row.source = 0 AND jsonl_match.text_sha256 IS NULL AS is_current,
        jsonl_row.priority
    FROM jsonl_row
    LEFT JOIN jsonl_match ON jsonl_row.text_sha256 = jsonl_match.text_sha256
) TO $path (FORMAT parquet);
