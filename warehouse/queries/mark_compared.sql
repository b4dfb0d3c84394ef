UPDATE corpus.signature
SET compared = TRUE
FROM corpus.chunk AS chunk
WHERE
    signature.chunk_id = chunk.chunk_id
    AND chunk.chunking_id = $chunking_id
    AND signature.sketch_id = $sketch_id
    AND NOT signature.compared;
