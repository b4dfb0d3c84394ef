SELECT corpus, path, status, coalesce(error, '') AS error
FROM corpus.source_file
WHERE retired_at IS NULL AND status IN ('failed', 'empty', 'partial')
ORDER BY corpus, path
LIMIT $limit;
