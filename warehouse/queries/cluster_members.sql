-- Current chunks of a chunking; among equally linked texts the longest is the centre.
SELECT
    unhex(replace(CAST(chunk.chunk_id AS VARCHAR), '-', '')) AS chunk_id,
    chunk.text_sha256,
    chunk.n_characters AS priority
FROM corpus.chunk AS chunk
INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
WHERE chunk.chunking_id = $chunking_id AND source_file.retired_at IS NULL;
