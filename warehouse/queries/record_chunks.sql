INSERT INTO corpus.chunk BY NAME FROM cut_chunk;

INSERT INTO corpus.dropped BY NAME FROM cut_dropped;

UPDATE corpus.source_file
SET status = 'read', error = NULL
FROM corpus.stream AS stream, corpus.document AS document, cut_chunk
WHERE
    source_file.source_id = stream.source_id
    AND stream.stream_id = document.stream_id
    AND document.document_id = cut_chunk.document_id
    AND source_file.status = 'failed';

UPDATE corpus.source_file
SET status = failure.status, error = failure.error
FROM cut_failure AS failure
WHERE source_file.source_id = failure.source_id;
