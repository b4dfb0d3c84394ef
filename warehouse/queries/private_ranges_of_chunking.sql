-- Private ranges of some kinds in the chunks of a chunking, in the order of their text.
SELECT
    private_range.chunk_id,
    private_range.kind,
    private_range.char_start,
    private_range.char_end
FROM corpus.private_range AS private_range
SEMI JOIN corpus.chunk AS chunk
    ON private_range.chunk_id = chunk.chunk_id AND chunk.chunking_id = $chunking_id
WHERE list_contains(CAST($kinds AS VARCHAR []), private_range.kind)
ORDER BY private_range.chunk_id, private_range.char_start;
