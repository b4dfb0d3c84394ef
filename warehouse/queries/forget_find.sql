-- What an identifier may mean to `fakesmrt forget`. $low and $high enclose the ids that begin with it (NULL where it
-- cannot be one); $name is the identifier as given. Exact matches come before beginnings and ends.
WITH found AS (
    SELECT 'path' AS kind, path AS identifier, 1 AS place
    FROM corpus.source_file
    WHERE path = $name
    UNION
    SELECT 'path', path, 2
    FROM corpus.source_file
    WHERE ends_with(path, '/' || $name)
    UNION
    SELECT 'source_file', CAST(source_id AS VARCHAR), 2
    FROM corpus.source_file
    WHERE source_id BETWEEN $low AND $high
    UNION
    SELECT 'document', CAST(document_id AS VARCHAR), 2
    FROM corpus.document
    WHERE document_id BETWEEN $low AND $high
    UNION
    SELECT 'document', CAST(document_id AS VARCHAR), 2
    FROM corpus.forgotten_document
    WHERE document_id BETWEEN $low AND $high
    UNION
    SELECT 'chunk', CAST(chunk_id AS VARCHAR), 2
    FROM corpus.chunk
    WHERE chunk_id BETWEEN $low AND $high
)

SELECT DISTINCT kind, identifier
FROM found
WHERE place = (SELECT min(place) FROM found)
ORDER BY kind, identifier
LIMIT 10;
