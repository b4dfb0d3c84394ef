-- A hash of which chunks of a chunking count now, with their corpora, languages and splits.
SELECT
    CAST(count(*) AS VARCHAR) || '-'
    || CAST(coalesce(bit_xor(md5_number(chunk_id || ' ' || corpus || ' ' || language || ' ' || split)), 0) AS VARCHAR)
FROM corpus.current_chunk
WHERE chunking_id = $chunking_id;
