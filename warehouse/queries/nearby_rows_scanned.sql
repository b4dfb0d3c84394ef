-- Rows of the chunks of nearby_chunk.
CREATE OR REPLACE TEMP TABLE nearby_row AS
SELECT chunk.rowid AS chunk_row
FROM corpus.chunk AS chunk
WHERE chunk.chunk_id IN (SELECT nearby_chunk.chunk_id FROM nearby_chunk);
