SELECT dropped.reason, count(*) AS n_ranges, sum(dropped.byte_end - dropped.byte_start)::BIGINT AS n_bytes
FROM corpus.dropped
JOIN corpus.stream ON stream.stream_id = dropped.stream_id
WHERE stream.source_id = $id AND dropped.char_start IS NULL
GROUP BY dropped.reason
ORDER BY n_bytes DESC, dropped.reason
LIMIT $limit;
