-- All that decides a chunk's text and that says where it comes from; $chunk_row is its rowid where that is known, else NULL.
WITH chunk AS MATERIALIZED (
    SELECT *
    FROM corpus.chunk
    WHERE chunk_id = $chunk_id AND rowid BETWEEN coalesce($chunk_row, 0) AND coalesce($chunk_row, 9223372036854775807)
)

SELECT
    document.document_id,
    stream.stream_id,
    source_file.source_id,
    source_file.corpus,
    source_file.licence,
    source_file.path,
    source_file.sha256 AS file_sha256,
    stream.member,
    stream.container,
    stream.sha256 AS stream_sha256,
    chunk.byte_start,
    chunk.byte_end,
    chunk.char_start,
    chunk.char_end,
    chunk.encoding,
    chunk.encoding_confidence,
    CAST(chunk.encoding_evidence AS VARCHAR) AS encoding_evidence,
    chunk.decoder_state,
    CAST(chunk.repair AS VARCHAR) AS repair,
    chunk.n_replaced,
    document.reader,
    document.reader_version,
    CAST(document.encoding_regions AS VARCHAR) AS encoding_regions,
    document.language,
    chunk.split,
    chunk.text_sha256,
    chunk.text_file,
    chunk.text_row
FROM chunk
INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id;
