SELECT
    document.document_id::VARCHAR AS document_id, stream.member, document.byte_start, document.byte_end,
    document.encoding, document.language, document.n_characters
FROM corpus.document
JOIN corpus.stream ON stream.stream_id = document.stream_id
WHERE stream.source_id = $id
ORDER BY stream.member NULLS FIRST, document.byte_start
LIMIT $limit;
