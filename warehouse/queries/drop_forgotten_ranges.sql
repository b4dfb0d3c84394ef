-- Documents that reach into forgotten bytes, because another reader than today's found them: no chunking that has not
-- cut them yet does so.
INSERT INTO corpus.dropped (stream_id, chunking_id, byte_start, byte_end, reason)
SELECT DISTINCT
    document.stream_id,
    CAST($chunking_id AS UUID),
    document.byte_start,
    document.byte_end,
    'forgotten'
FROM corpus.document AS document
INNER JOIN corpus.forgotten_document AS forgotten
    ON document.stream_id = forgotten.stream_id
    AND forgotten.byte_start < document.byte_end
    AND forgotten.byte_end > document.byte_start
WHERE
    NOT EXISTS (
        FROM corpus.chunk AS chunk
        WHERE chunk.document_id = document.document_id AND chunk.chunking_id = $chunking_id
    )
    AND NOT EXISTS (
        FROM corpus.dropped AS dropped
        WHERE
            dropped.stream_id = document.stream_id
            AND dropped.chunking_id = $chunking_id
            AND dropped.byte_start >= document.byte_start
            AND dropped.byte_end = document.byte_end
    );
