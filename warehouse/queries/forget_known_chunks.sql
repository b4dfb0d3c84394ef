-- Adds chunks that are known to be forgotten although their document is no more. known_chunk: their ids and source
-- files, and the content for whose sake they go (NULL where it is not known).
INSERT INTO gone_chunk BY NAME
SELECT
    chunk.chunk_id,
    chunk.document_id,
    known_chunk.source_id,
    chunk.chunking_id,
    chunk.byte_start,
    chunk.byte_end,
    chunk.text_sha256,
    chunk.text_file,
    chunk.text_row,
    FALSE AS is_of_gone_document,
    known_chunk.sha256
FROM corpus.chunk AS chunk
INNER JOIN known_chunk ON chunk.chunk_id = known_chunk.chunk_id
ANTI JOIN gone_chunk ON chunk.chunk_id = gone_chunk.chunk_id;
