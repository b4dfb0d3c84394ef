-- Scores of some chunks under a reference.
INSERT INTO corpus.perplexity (chunk_id, reference_id, fold, bits_per_byte, perplexity, n_tokens)
SELECT
    CAST(chunk_id AS UUID),
    $reference_id,
    fold,
    bits_per_byte,
    perplexity,
    n_tokens
FROM scored;
