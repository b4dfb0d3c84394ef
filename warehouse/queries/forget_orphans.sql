-- Chunks whose document is no more, because a later cleanser found others, less those that are told already (gone_chunk):
-- their ids tell which stream they are of.
SELECT
    chunk.chunk_id,
    chunk.document_id,
    chunk.chunking_id,
    chunk.byte_start,
    chunk.byte_end,
    chunk.char_start,
    chunk.char_end
FROM corpus.chunk AS chunk
ANTI JOIN corpus.document AS document ON chunk.document_id = document.document_id
ANTI JOIN gone_chunk ON chunk.chunk_id = gone_chunk.chunk_id
ORDER BY chunk.chunk_id;
