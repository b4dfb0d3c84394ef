-- From a chunk to the file that it comes from.

CREATE OR REPLACE VIEW lineage.chunk_source AS
SELECT
    chunk.chunk_id,
    chunk.document_id,
    document.stream_id,
    source_file.source_id,
    source_file.corpus,
    source_file.path,
    stream.member,
    source_file.licence,
    chunk.byte_start,
    chunk.byte_end
FROM corpus.chunk
JOIN corpus.document ON document.document_id = chunk.document_id
JOIN corpus.stream ON stream.stream_id = document.stream_id
JOIN corpus.source_file ON source_file.source_id = stream.source_id;
COMMENT ON VIEW lineage.chunk_source IS 'One row a chunk with the file, byte range and licence that it comes from.';
COMMENT ON COLUMN lineage.chunk_source.chunk_id IS 'The chunk.';
COMMENT ON COLUMN lineage.chunk_source.document_id IS 'Its document.';
COMMENT ON COLUMN lineage.chunk_source.stream_id IS 'The byte stream of the document.';
COMMENT ON COLUMN lineage.chunk_source.source_id IS 'The source file of the stream.';
COMMENT ON COLUMN lineage.chunk_source.corpus IS 'Name of the corpus.';
COMMENT ON COLUMN lineage.chunk_source.path IS 'Path of the source file.';
COMMENT ON COLUMN lineage.chunk_source.member IS 'Name in the container; NULL for the file itself.';
COMMENT ON COLUMN lineage.chunk_source.licence IS 'SPDX expression that holds for the source file.';
COMMENT ON COLUMN lineage.chunk_source.byte_start IS 'First byte in the stream.';
COMMENT ON COLUMN lineage.chunk_source.byte_end IS 'One past the last byte.';
