-- Bytes of current files that became no chunk, by reason. chunking_id: the chunking whose dropped ranges count beside
-- those outside all documents; NULL for none.
SELECT
    dropped.reason,
    sum(dropped.byte_end - dropped.byte_start)::BIGINT AS n_bytes
FROM corpus.dropped AS dropped
INNER JOIN corpus.stream AS stream ON dropped.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
WHERE
    source_file.retired_at IS NULL
    AND dropped.char_start IS NULL
    AND (dropped.chunking_id IS NULL OR dropped.chunking_id = $chunking_id)
GROUP BY dropped.reason
ORDER BY n_bytes DESC, dropped.reason;
