-- cut_part: documents that could not be cut to their end, of which no piece stays.
INSERT INTO corpus.chunk BY NAME FROM cut_chunk;

INSERT INTO corpus.dropped BY NAME FROM cut_dropped;

INSERT INTO corpus.private_range BY NAME FROM cut_private;

DELETE FROM corpus.private_range
USING corpus.chunk AS chunk, cut_part AS part
WHERE
    private_range.chunk_id = chunk.chunk_id
    AND chunk.document_id = part.document_id
    AND chunk.chunking_id = part.chunking_id;

DELETE FROM corpus.dropped
USING corpus.document AS document, cut_part AS part
WHERE
    document.document_id = part.document_id
    AND dropped.stream_id = document.stream_id
    AND dropped.chunking_id = part.chunking_id
    AND dropped.byte_start >= document.byte_start
    AND dropped.byte_end <= document.byte_end;

DELETE FROM corpus.chunk
USING cut_part AS part
WHERE chunk.document_id = part.document_id AND chunk.chunking_id = part.chunking_id;

UPDATE corpus.source_file
SET
    status = CASE WHEN damaged.error IS NULL THEN 'read' ELSE 'partial' END,
    error = damaged.error
FROM (
    SELECT
        stream.source_id,
        min(stream.error) AS error
    FROM corpus.stream AS stream
    GROUP BY stream.source_id
) AS damaged, cut_source
WHERE
    source_file.source_id = cut_source.source_id
    AND damaged.source_id = cut_source.source_id
    AND source_file.status = 'failed';

UPDATE corpus.source_file
SET status = failure.status, error = failure.error
FROM cut_failure AS failure
WHERE source_file.source_id = failure.source_id;
