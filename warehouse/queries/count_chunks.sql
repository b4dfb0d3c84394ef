-- Chunks of current files under a chunking.
SELECT
    count(*) AS n_rows,
    coalesce(sum(chunk.n_bytes), 0)::BIGINT AS n_bytes,
    count(*) FILTER (chunk.repair::VARCHAR LIKE '%fix_encoding%') AS n_repaired,
    coalesce(sum(chunk.n_replaced), 0)::BIGINT AS n_replaced
FROM corpus.chunk AS chunk
INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
WHERE chunk.chunking_id = $chunking_id AND source_file.retired_at IS NULL;
