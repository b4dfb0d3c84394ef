SELECT
    source_id::VARCHAR AS source_id, corpus, path, licence, status, error, n_bytes, media_type,
    lower(hex(sha256)) AS sha256, first_seen_at, retired_at
FROM corpus.source_file
WHERE source_id = $id;
