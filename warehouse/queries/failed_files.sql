-- Current files that gave nothing, or not all that is in them, with the reason.
SELECT
    path,
    error
FROM corpus.source_file
WHERE retired_at IS NULL AND status IN ('failed', 'empty', 'partial')
ORDER BY path;
