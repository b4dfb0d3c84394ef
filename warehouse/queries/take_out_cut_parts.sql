-- Pieces of documents that were not cut to their end, as `documents_to_cut.sql` finds them: what a run that was killed
-- has left of a large one.
CREATE OR REPLACE TEMP TABLE cut_part AS
SELECT
    document.document_id,
    document.stream_id,
    document.byte_start,
    document.byte_end
FROM corpus.document AS document
WHERE
    EXISTS (
        FROM corpus.chunk AS chunk
        WHERE chunk.document_id = document.document_id AND chunk.chunking_id = $chunking_id
    )
    AND NOT EXISTS (
        FROM corpus.chunk AS chunk
        WHERE
            chunk.document_id = document.document_id
            AND chunk.chunking_id = $chunking_id
            AND chunk.byte_end = document.byte_end
    )
    AND NOT EXISTS (
        FROM corpus.dropped AS dropped
        WHERE
            dropped.stream_id = document.stream_id
            AND dropped.chunking_id = $chunking_id
            AND dropped.byte_start >= document.byte_start
            AND dropped.byte_end = document.byte_end
    );

DELETE FROM corpus.private_range
USING corpus.chunk AS chunk, cut_part AS part
WHERE
    private_range.chunk_id = chunk.chunk_id
    AND chunk.document_id = part.document_id
    AND chunk.chunking_id = $chunking_id;

DELETE FROM corpus.dropped
USING cut_part AS part
WHERE
    dropped.stream_id = part.stream_id
    AND dropped.chunking_id = $chunking_id
    AND dropped.byte_start >= part.byte_start
    AND dropped.byte_end <= part.byte_end;

DELETE FROM corpus.chunk
USING cut_part AS part
WHERE chunk.document_id = part.document_id AND chunk.chunking_id = $chunking_id;

DROP TABLE cut_part;
