-- The bounds that a recipe draws in each corpus, in bits per byte: where head and middle end, and what is kept.
SELECT
    training_chunk.corpus,
    (max(perplexity.bits_per_byte) FILTER (training_chunk.bucket = 'head'))::DOUBLE AS head_end,
    (max(perplexity.bits_per_byte) FILTER (training_chunk.bucket IN ('head', 'middle')))::DOUBLE AS middle_end,
    CASE
        WHEN bool_or(training_chunk.reason = 'perplexity')
            THEN (max(perplexity.bits_per_byte) FILTER (training_chunk.kept))::DOUBLE
    END AS kept_end
FROM corpus.training_chunk
JOIN corpus.recipe ON recipe.recipe = training_chunk.recipe
JOIN corpus.perplexity
    ON perplexity.chunk_id = training_chunk.chunk_id AND perplexity.reference_id = recipe.reference_id
WHERE training_chunk.recipe = $recipe AND recipe.reference_id = $reference_id
GROUP BY ALL;
