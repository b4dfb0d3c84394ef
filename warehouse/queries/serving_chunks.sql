-- Chunks of a range of ids that fulfil a condition, and where their text lies. Put in by warehouse.serving.selection:
-- the condition and the weight, both checked; some columns of the view; whether only what a recipe keeps.
SELECT
    CAST(CAST(chunk_id AS UHUGEINT) >> 64 AS UBIGINT) AS id_high,
    CAST(CAST(chunk_id AS UHUGEINT) & 18446744073709551615 AS UBIGINT) AS id_low,
    CAST(CAST(document_id AS UHUGEINT) >> 64 AS UBIGINT) AS unit,
    CAST($weight AS DOUBLE) AS weight,
    text_file AS text_place_file,
    text_row AS text_place_row$columns
FROM corpus.chunk_metadata
WHERE
    chunk_id BETWEEN $first_id AND $last_id
    AND CAST(CAST(chunk_id AS UHUGEINT) & 18446744073709551615 AS UBIGINT) % $world_size = $rank
    AND chunking_id = $chunking_id
    AND ($split IS NULL OR split = $split)
    AND ($kept)
    AND ($condition);
