-- Scores of some chunks under a reference are taken back.
DELETE FROM corpus.perplexity
WHERE reference_id = $reference_id AND chunk_id IN (SELECT CAST(chunk_id AS UUID) FROM stale);
