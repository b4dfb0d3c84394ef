-- The chunks that took part in the join. One whose file is away took no part: it is compared when it comes back.
UPDATE corpus.signature
SET compared = source_file.retired_at IS NULL
FROM corpus.chunk AS chunk, corpus.document AS document, corpus.stream AS stream, corpus.source_file AS source_file
WHERE
    signature.chunk_id = chunk.chunk_id
    AND chunk.document_id = document.document_id
    AND document.stream_id = stream.stream_id
    AND stream.source_id = source_file.source_id
    AND chunk.chunking_id = $chunking_id
    AND signature.sketch_id = $sketch_id;
