-- Chunks whose document is no more, because a later cleanser found others: their ids tell which stream they are of.
SELECT
    chunk.chunk_id,
    chunk.chunking_id,
    chunk.byte_start,
    chunk.byte_end,
    chunk.char_start,
    chunk.char_end
FROM corpus.chunk AS chunk
ANTI JOIN corpus.document AS document ON chunk.document_id = document.document_id
ORDER BY chunk.chunk_id;
