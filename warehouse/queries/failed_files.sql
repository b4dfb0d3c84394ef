-- Current files that gave nothing, with the reason.
SELECT
    path,
    error
FROM corpus.source_file
WHERE retired_at IS NULL AND status IN ('failed', 'empty')
ORDER BY path;
