-- The chunking of most chunks.
SELECT chunking_id FROM corpus.chunk GROUP BY chunking_id ORDER BY count(*) DESC, chunking_id LIMIT 1;
