-- How many documents and chunks were forgotten for the sake of some contents.
SELECT
    count(DISTINCT document.document_id) AS n_documents,
    count(DISTINCT chunk.chunk_id) AS n_chunks
FROM corpus.forgotten_document AS document
LEFT JOIN corpus.forgotten_chunk AS chunk ON document.document_id = chunk.document_id
WHERE document.sha256 IN (SELECT unnest(CAST($sha256s AS BLOB [])));
