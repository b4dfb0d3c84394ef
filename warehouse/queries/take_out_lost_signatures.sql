-- Signatures of chunks that are gone go too. What the last join proposed cannot be told without them: all is compared
-- again.
UPDATE corpus.signature
SET compared = FALSE
WHERE compared;

DELETE FROM corpus.signature
WHERE chunk_id NOT IN (SELECT chunk_id FROM corpus.chunk);
