-- A file that was examined before gives way to its new rows.
DELETE FROM corpus.document
USING corpus.stream AS stream, examined_status AS examined
WHERE document.stream_id = stream.stream_id AND stream.source_id = examined.source_id;

DELETE FROM corpus.dropped
USING corpus.stream AS stream, examined_status AS examined
WHERE dropped.stream_id = stream.stream_id AND stream.source_id = examined.source_id AND dropped.chunking_id IS NULL;

DELETE FROM corpus.stream
USING examined_status AS examined
WHERE stream.source_id = examined.source_id;

INSERT INTO corpus.stream BY NAME FROM examined_stream;

INSERT INTO corpus.document BY NAME FROM examined_document;

INSERT INTO corpus.dropped BY NAME FROM examined_dropped;

UPDATE corpus.source_file
SET status = examined.status, error = examined.error
FROM examined_status AS examined
WHERE source_file.source_id = examined.source_id;
