-- Where the texts of the chunks of candidate pairs lie, in the order in which they are read.
COPY (
    WITH named AS (
        SELECT chunk_a AS chunk_id FROM read_parquet($candidates)
        UNION
        SELECT chunk_b FROM read_parquet($candidates)
    )

    SELECT
        named.chunk_id,
        chunk.text_file,
        chunk.text_row
    FROM named
    INNER JOIN corpus.chunk AS chunk ON CAST(hex(named.chunk_id) AS UUID) = chunk.chunk_id
    ORDER BY chunk.text_file, chunk.text_row
) TO $path (FORMAT parquet);
