-- The first $n ids of chunks from $low to $high, in a published copy.
SELECT chunk_id
FROM corpus.chunk_place
WHERE chunk_id BETWEEN $low AND $high
ORDER BY chunk_id
LIMIT $n;
