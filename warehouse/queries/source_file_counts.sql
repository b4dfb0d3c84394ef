SELECT
    status,
    count(*) AS n_files
FROM corpus.source_file
WHERE retired_at IS NULL
GROUP BY status
ORDER BY status;
