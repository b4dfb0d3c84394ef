-- Where the documents lie that are wanted by their own hash: those recorded now, and those that were.
SELECT
    document.stream_id,
    document.byte_start,
    document.byte_end,
    wanted.sha256
FROM corpus.document AS document
INNER JOIN wanted ON document.raw_sha256 = wanted.sha256 AND wanted.scope = 'document'
UNION
SELECT
    document.stream_id,
    document.byte_start,
    document.byte_end,
    document.sha256
FROM corpus.forgotten_document AS document
INNER JOIN wanted ON document.sha256 = wanted.sha256 AND wanted.scope = 'document';
