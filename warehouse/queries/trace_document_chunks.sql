SELECT
    chunk_id::VARCHAR AS chunk_id, recipe, kept, reason, byte_start, byte_end, n_words, bits_per_byte
FROM lineage.chunk_decision
WHERE document_id = $id
ORDER BY recipe, byte_start
LIMIT $limit;
