-- What of the evaluation sets, and of held-out text, was found in which files, and the first such item (of held-out text: its file).
SELECT
    contamination.evaluation_set,
    source_file.corpus,
    source_file.path,
    contamination.rule,
    contamination.counts,
    count(DISTINCT contamination.item_id) AS n_items,
    count(DISTINCT contamination.chunk_id) AS n_chunks,
    round(max(contamination.score), 2) AS best_score,
    coalesce(
        min(item.path || ' #' || CAST(item.ordinal AS VARCHAR)),
        min(kept_file.path)
    ) AS first_item
FROM corpus.contamination AS contamination
INNER JOIN corpus.chunk AS chunk ON contamination.chunk_id = chunk.chunk_id
INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
LEFT JOIN corpus.evaluation_item AS item
    ON contamination.item_id = item.item_id AND contamination.evaluation_set = item.evaluation_set
LEFT JOIN corpus.chunk AS kept_chunk
    ON contamination.item_id = kept_chunk.chunk_id AND contamination.evaluation_set = 'held_out'
LEFT JOIN corpus.document AS kept_document ON kept_chunk.document_id = kept_document.document_id
LEFT JOIN corpus.stream AS kept_stream ON kept_document.stream_id = kept_stream.stream_id
LEFT JOIN corpus.source_file AS kept_file ON kept_stream.source_id = kept_file.source_id
WHERE source_file.retired_at IS NULL
GROUP BY ALL
ORDER BY n_items DESC, contamination.evaluation_set, source_file.path, contamination.rule, contamination.counts;
