-- A chunk itself.
INSERT INTO nearby_chunk
SELECT CAST($id AS UUID) AS chunk_id;
