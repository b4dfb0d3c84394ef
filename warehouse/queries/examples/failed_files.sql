-- Files that gave no text, or not all that is in them, and why.
SELECT corpus, path, status, error, n_bytes
FROM corpus.source_file
WHERE retired_at IS NULL AND status IN ('failed', 'empty', 'partial')
ORDER BY corpus, path;
