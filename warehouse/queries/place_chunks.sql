-- Where each chunk's row lies: sorted by id, so that one id is found without a scan; the row follows by rowid.
CREATE OR REPLACE TABLE corpus.chunk_place AS
SELECT
    chunk_id,
    rowid AS chunk_row
FROM corpus.chunk
ORDER BY chunk_id;

COMMENT ON TABLE corpus.chunk_place IS 'One row a chunk, sorted by id: finds a chunk''s row without a scan (only in published copies).';
COMMENT ON COLUMN corpus.chunk_place.chunk_id IS 'The chunk.';
COMMENT ON COLUMN corpus.chunk_place.chunk_row IS 'The rowid of its row in corpus.chunk.';
