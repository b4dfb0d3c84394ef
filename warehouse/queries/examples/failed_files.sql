-- Files that gave no text, and why.
SELECT corpus, path, status, error, n_bytes
FROM corpus.source_file
WHERE retired_at IS NULL AND status IN ('failed', 'empty')
ORDER BY corpus, path;
