-- How certain the language of each chunk's document is.
SELECT chunk.chunk_id, CAST(document.language_score AS DOUBLE) AS value
FROM corpus.chunk AS chunk
INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
WHERE chunk.chunking_id = $chunking_id
