-- The contents of a source file, by its id, or by its path with all that it ever held.
SELECT DISTINCT
    sha256,
    'file' AS scope,
    CAST(source_id AS VARCHAR) AS subject,
    path AS name
FROM corpus.source_file
WHERE sha256 IS NOT NULL AND (path = $identifier OR CAST(source_id AS VARCHAR) = $identifier)
ORDER BY sha256, subject;
