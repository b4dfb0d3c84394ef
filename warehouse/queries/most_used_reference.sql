-- The reference that scored most chunks.
SELECT reference_id FROM corpus.perplexity GROUP BY reference_id ORDER BY count(*) DESC, reference_id LIMIT 1;
