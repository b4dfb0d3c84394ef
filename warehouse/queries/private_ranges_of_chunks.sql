-- Private ranges of some kinds in some chunks, in the order of their text.
SELECT
    chunk_id,
    kind,
    char_start,
    char_end
FROM corpus.private_range
WHERE chunk_id IN (SELECT unnest(CAST($chunk_ids AS UUID []))) AND list_contains(CAST($kinds AS VARCHAR []), kind)
ORDER BY chunk_id, char_start;
