-- The chunks of a source file.
INSERT INTO nearby_chunk
SELECT chunk.chunk_id
FROM corpus.chunk AS chunk
SEMI JOIN (
    SELECT document.document_id
    FROM corpus.document AS document
    INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
    WHERE stream.source_id = $id
) AS own
    ON chunk.document_id = own.document_id;
