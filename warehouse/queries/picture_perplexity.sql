-- Chunks under a reference, by corpus and tenths of a bit; what lies above 8 bits counts as 8.
SELECT
    chunk_source.corpus,
    least(floor(perplexity.bits_per_byte * 10) / 10, 8.0)::DOUBLE AS start,
    count(*) AS n
FROM corpus.perplexity
JOIN lineage.chunk_source ON chunk_source.chunk_id = perplexity.chunk_id
WHERE perplexity.reference_id = $reference_id
GROUP BY ALL
ORDER BY chunk_source.corpus, start;
