-- A hash of which chunks of a chunking count now, with their corpora and languages.
SELECT
    CAST(count(*) AS VARCHAR) || '-'
    || CAST(coalesce(bit_xor(md5_number(CAST(chunk_id AS VARCHAR) || ' ' || corpus || ' ' || language)), 0) AS VARCHAR)
FROM corpus.current_chunk
WHERE chunking_id = $chunking_id;
