-- Chunks of a chunking, by hundreds of characters.
SELECT (n_characters // 100 * 100)::DOUBLE AS start, count(*) AS n
FROM corpus.chunk
WHERE chunking_id = $chunking_id
GROUP BY ALL
ORDER BY start;
