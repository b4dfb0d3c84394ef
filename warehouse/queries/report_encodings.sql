SELECT
    source_file.corpus, document.encoding, count(*) AS n_documents,
    min(document.encoding_confidence)::DOUBLE AS least_confidence
FROM corpus.document
JOIN corpus.stream ON stream.stream_id = document.stream_id
JOIN corpus.source_file ON source_file.source_id = stream.source_id
WHERE source_file.retired_at IS NULL
GROUP BY ALL
ORDER BY source_file.corpus, n_documents DESC, document.encoding;
