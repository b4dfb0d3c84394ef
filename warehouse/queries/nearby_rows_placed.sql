-- Rows of the chunks of nearby_chunk, by the table that only published copies have.
CREATE OR REPLACE TEMP TABLE nearby_row AS
SELECT place.chunk_row
FROM corpus.chunk_place AS place
WHERE place.chunk_id IN (SELECT nearby_chunk.chunk_id FROM nearby_chunk);
