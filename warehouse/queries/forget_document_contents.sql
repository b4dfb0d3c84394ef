-- The content of a document, by its id; of one that is forgotten already, that for whose sake it was.
SELECT
    document.raw_sha256 AS sha256,
    'document' AS scope,
    CAST(document.document_id AS VARCHAR) AS subject,
    source_file.path || ' bytes ' || document.byte_start || ' to ' || document.byte_end AS name
FROM corpus.document AS document
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
WHERE document.document_id = CAST($identifier AS UUID)
UNION
SELECT
    forgotten.sha256,
    forgotten.scope,
    CAST(document.document_id AS VARCHAR),
    source_file.path || ' bytes ' || document.byte_start || ' to ' || document.byte_end
FROM corpus.forgotten_document AS document
INNER JOIN corpus.forgotten AS forgotten ON document.sha256 = forgotten.sha256
INNER JOIN corpus.source_file AS source_file ON document.source_id = source_file.source_id
WHERE document.document_id = CAST($identifier AS UUID)
ORDER BY scope;
