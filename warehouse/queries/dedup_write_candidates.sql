-- Each pair once, sorted, so that verification finds the texts of neighbouring pairs together.
COPY (
    SELECT a.chunk_id AS chunk_a, b.chunk_id AS chunk_b
    FROM (SELECT DISTINCT chunk_a, chunk_b FROM candidate) AS pair
    INNER JOIN representative AS a ON pair.chunk_a = a.number
    INNER JOIN representative AS b ON pair.chunk_b = b.number
    ORDER BY pair.chunk_a, pair.chunk_b
) TO $path (FORMAT parquet, COMPRESSION zstd);
