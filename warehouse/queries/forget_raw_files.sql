-- Files that are forgotten, or hold a document that is, for the sake of some contents: where they lay when they were read.
SELECT
    path,
    sha256,
    sha256 IN (SELECT unnest(CAST($sha256s AS BLOB []))) AS is_whole
FROM corpus.source_file
WHERE
    sha256 IS NOT NULL
    AND (
        is_whole
        OR source_id IN (
            SELECT source_id FROM corpus.forgotten_document
            WHERE sha256 IN (SELECT unnest(CAST($sha256s AS BLOB [])))
        )
    )
ORDER BY path;
