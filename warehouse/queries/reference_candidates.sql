-- Chunks of current files that a reference may be trained on, each text once: its first copy by id.
SELECT
    chunk.chunk_id,
    coalesce(duplicate_cluster.cluster_id, chunk.chunk_id) AS cluster_key,
    chunk.n_bytes,
    chunk.text_file,
    chunk.text_row
FROM corpus.chunk AS chunk
INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
LEFT JOIN corpus.duplicate_cluster AS duplicate_cluster
    ON chunk.chunk_id = duplicate_cluster.chunk_id AND duplicate_cluster.threshold = CAST($threshold AS REAL)
WHERE chunk.chunking_id = $chunking_id AND source_file.retired_at IS NULL AND chunk.n_bytes > 0
QUALIFY row_number() OVER (PARTITION BY chunk.text_sha256 ORDER BY chunk.chunk_id) = 1
ORDER BY chunk.chunk_id;
