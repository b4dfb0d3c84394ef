-- The smallest and the largest weight of the chunks that fulfil a condition, and whether one has none.
SELECT
    coalesce(min(CAST($weight AS DOUBLE)), 0) AS smallest,
    coalesce(max(CAST($weight AS DOUBLE)), 0) AS largest,
    coalesce(bool_or(CAST($weight AS DOUBLE) IS NULL OR isnan(CAST($weight AS DOUBLE))), FALSE) AS has_none
FROM corpus.chunk_metadata
WHERE chunking_id = $chunking_id AND ($split IS NULL OR split = $split) AND ($condition);
