-- The chunks of a document.
INSERT INTO nearby_chunk
SELECT chunk_id
FROM corpus.chunk
WHERE document_id = $id;
