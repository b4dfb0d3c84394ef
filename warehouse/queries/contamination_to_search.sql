-- Chunks of current files under a chunking that were not searched for a whole collection, and for what they were.
SELECT
    chunk.chunk_id,
    chunk.text_file,
    chunk.text_row,
    search.collection_id
FROM corpus.chunk AS chunk
INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
LEFT JOIN corpus.contamination_search AS search ON chunk.chunk_id = search.chunk_id
WHERE
    chunk.chunking_id = $chunking_id
    AND source_file.retired_at IS NULL
    AND search.collection_id IS DISTINCT FROM $collection_id
ORDER BY search.collection_id, chunk.text_file, chunk.text_row;
