-- Where the documents lie that are wanted by their own hash: those recorded now, and those that were.
SELECT
    document.stream_id,
    document.byte_start,
    document.byte_end,
    wanted.sha256
FROM corpus.document AS document
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN wanted
    ON wanted.scope = 'document'
    AND wanted.sha256 = coalesce(
        document.raw_sha256,
        CASE WHEN document.byte_start = 0 AND document.byte_end = stream.n_bytes THEN stream.sha256 END
    )
UNION
SELECT
    document.stream_id,
    document.byte_start,
    document.byte_end,
    document.sha256
FROM corpus.forgotten_document AS document
INNER JOIN wanted ON document.sha256 = wanted.sha256 AND wanted.scope = 'document';
