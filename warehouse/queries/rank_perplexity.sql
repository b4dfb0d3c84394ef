-- Where each score under a reference stands among those of the current chunks of its corpus, and of its language.
UPDATE corpus.perplexity
SET
    percentile_in_corpus = ranked.in_corpus,
    percentile_in_language = ranked.in_language
FROM (
    SELECT
        scored.chunk_id,
        CASE
            WHEN current_chunk.chunk_id IS NOT NULL
                THEN CAST(
                    (row_number() OVER (
                        PARTITION BY current_chunk.corpus
                        ORDER BY scored.bits_per_byte, scored.chunk_id
                    ) - 0.5)
                    / count(*) OVER (PARTITION BY current_chunk.corpus)
                    AS REAL)
        END AS in_corpus,
        CASE
            WHEN current_chunk.chunk_id IS NOT NULL
                THEN CAST(
                    (row_number() OVER (
                        PARTITION BY current_chunk.language
                        ORDER BY scored.bits_per_byte, scored.chunk_id
                    ) - 0.5)
                    / count(*) OVER (PARTITION BY current_chunk.language)
                    AS REAL)
        END AS in_language
    FROM corpus.perplexity AS scored
    LEFT JOIN corpus.current_chunk AS current_chunk ON scored.chunk_id = current_chunk.chunk_id
    WHERE scored.reference_id = $reference_id
) AS ranked
WHERE
    perplexity.chunk_id = ranked.chunk_id
    AND perplexity.reference_id = $reference_id
    AND (
        perplexity.percentile_in_corpus IS DISTINCT FROM ranked.in_corpus
        OR perplexity.percentile_in_language IS DISTINCT FROM ranked.in_language
    );
