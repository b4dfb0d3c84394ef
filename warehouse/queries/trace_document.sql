SELECT
    document.document_id::VARCHAR AS document_id, source_file.corpus, source_file.licence, source_file.path,
    source_file.source_id::VARCHAR AS source_id, stream.member, document.ordinal, document.byte_start,
    document.byte_end, document.reader, document.reader_version, document.encoding, document.encoding_confidence,
    document.language, document.language_score, document.n_characters
FROM corpus.document
JOIN corpus.stream ON stream.stream_id = document.stream_id
JOIN corpus.source_file ON source_file.source_id = stream.source_id
WHERE document.document_id = $id;
