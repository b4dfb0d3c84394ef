-- Every chunk with its raw file, its stored text and all that its replay needs.
SELECT
    chunk.chunk_id,
    source_file.path,
    source_file.sha256,
    stream.member,
    chunk.text_file,
    chunk.text_row,
    chunk.text_sha256,
    chunk.byte_start,
    chunk.byte_end,
    chunk.char_start,
    chunk.char_end,
    chunk.encoding,
    chunk.decoder_state,
    CAST(chunk.repair AS VARCHAR) AS repair,
    document.reader,
    document.reader_version,
    CAST(document.encoding_regions AS VARCHAR) AS encoding_regions
FROM corpus.chunk AS chunk
INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
ORDER BY source_file.path, stream.ordinal, chunk.chunk_id;
