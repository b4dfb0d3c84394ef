-- The chunks that the reference finds least and most likely; `rank` counts from each end.
WITH ranked AS (
    SELECT
        chunk_id,
        bits_per_byte,
        row_number() OVER (ORDER BY bits_per_byte, chunk_id) AS from_likely,
        row_number() OVER (ORDER BY bits_per_byte DESC, chunk_id) AS from_unlikely
    FROM corpus.perplexity
    WHERE reference_id = $reference_id
)
SELECT
    ranked.from_likely <= $limit AS is_likely,
    chunk.chunk_id::VARCHAR AS chunk_id,
    chunk_source.corpus,
    chunk_source.path,
    ranked.bits_per_byte::DOUBLE AS bits_per_byte,
    coalesce(training_chunk.kept, false) AS kept,
    training_chunk.reason,
    chunk.text_file,
    chunk.text_row
FROM ranked
JOIN corpus.chunk ON chunk.chunk_id = ranked.chunk_id
JOIN lineage.chunk_source ON chunk_source.chunk_id = ranked.chunk_id
LEFT JOIN corpus.training_chunk
    ON training_chunk.chunk_id = ranked.chunk_id AND training_chunk.recipe = $recipe
WHERE ranked.from_likely <= $limit OR ranked.from_unlikely <= $limit
ORDER BY is_likely DESC, if(is_likely, ranked.from_likely, ranked.from_unlikely);
