SELECT
    dropped.reason, count(*) AS n_ranges, sum(dropped.byte_end - dropped.byte_start)::BIGINT AS n_bytes
FROM corpus.dropped
JOIN corpus.stream ON stream.stream_id = dropped.stream_id
JOIN corpus.source_file ON source_file.source_id = stream.source_id
WHERE
    source_file.retired_at IS NULL
    -- Slices of extracted text have the bytes of their record, which counts as covered.
    AND dropped.char_start IS NULL
    AND (dropped.chunking_id IS NULL OR dropped.chunking_id = $chunking_id)
GROUP BY dropped.reason
ORDER BY n_bytes DESC, dropped.reason;
