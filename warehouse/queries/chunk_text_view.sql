-- $source is a list of absolute paths, or an empty relation where there is no text yet.
CREATE OR REPLACE VIEW corpus.chunk_text AS
SELECT
    chunk.chunk_id,
    stored.text
FROM $source AS stored
INNER JOIN corpus.chunk AS chunk
    -- Older clients cannot turn an id into bytes, or bytes into an id; and so a condition on the id reaches the files.
    ON stored.chunk_id = unhex(replace(CAST(chunk.chunk_id AS VARCHAR), '-', ''));

COMMENT ON VIEW corpus.chunk_text IS 'One row a chunk with its stored text, read from the Parquet files of the home.';
COMMENT ON COLUMN corpus.chunk_text.chunk_id IS 'The chunk.';
COMMENT ON COLUMN corpus.chunk_text.text IS 'The clean text.';
