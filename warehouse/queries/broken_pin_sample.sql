-- What is left of the sample of the newest n-gram reference of a definition that was removed because its sample held
-- forgotten text.
WITH broken AS (
    SELECT reference_id
    FROM corpus.broken_pin
    WHERE kind = 'ngram' AND CAST(definition AS VARCHAR) = $definition
    ORDER BY pinned_at DESC
    LIMIT 1
)

SELECT
    sample.chunk_id,
    sample.fold,
    chunk.n_bytes,
    chunk.text_file,
    chunk.text_row
FROM corpus.reference_sample AS sample
INNER JOIN broken ON sample.reference_id = broken.reference_id
INNER JOIN corpus.chunk AS chunk ON sample.chunk_id = chunk.chunk_id
SEMI JOIN corpus.current_chunk AS current_chunk ON sample.chunk_id = current_chunk.chunk_id
ORDER BY chunk.text_file, chunk.text_row;
