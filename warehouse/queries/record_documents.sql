-- examined_again: files whose rows of an earlier examination give way. examined_failed: files that could not be read
-- to their end, of which no row stays.
UPDATE corpus.source_file
SET status = 'found', error = NULL
FROM examined_again AS again
WHERE source_file.source_id = again.source_id;

DELETE FROM corpus.document
USING corpus.stream AS stream, examined_again AS again
WHERE document.stream_id = stream.stream_id AND stream.source_id = again.source_id;

DELETE FROM corpus.dropped
USING corpus.stream AS stream, examined_again AS again
WHERE dropped.stream_id = stream.stream_id AND stream.source_id = again.source_id AND dropped.chunking_id IS NULL;

INSERT INTO corpus.past_stream (stream_id, source_id, sha256)
SELECT stream_id, source_id, sha256
FROM corpus.stream
SEMI JOIN examined_again USING (source_id)
ANTI JOIN corpus.past_stream USING (stream_id);

DELETE FROM corpus.stream
USING examined_again AS again
WHERE stream.source_id = again.source_id;

INSERT INTO corpus.stream BY NAME FROM examined_stream;

DELETE FROM corpus.past_stream WHERE stream_id IN (SELECT stream_id FROM examined_stream);

-- What must not come back becomes a dropped range, whichever file it is in, and however the file is divided now.
CREATE OR REPLACE TEMP TABLE examined_forgotten AS
SELECT document.document_id
FROM examined_document AS document
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
WHERE
    document.raw_sha256 IN (SELECT sha256 FROM corpus.forgotten WHERE scope = 'document')
    OR stream.sha256 IN (SELECT sha256 FROM corpus.forgotten WHERE scope = 'file')
    OR EXISTS (
        FROM corpus.forgotten_document AS forgotten
        WHERE
            forgotten.stream_id = document.stream_id
            AND forgotten.byte_start < document.byte_end
            AND forgotten.byte_end > document.byte_start
    );

INSERT INTO corpus.document BY NAME
SELECT *
FROM examined_document
ANTI JOIN examined_forgotten USING (document_id);

INSERT INTO corpus.dropped (stream_id, byte_start, byte_end, reason)
SELECT
    document.stream_id,
    document.byte_start,
    document.byte_end,
    'forgotten' AS reason
FROM examined_document AS document
SEMI JOIN examined_forgotten USING (document_id);

DROP TABLE examined_forgotten;

INSERT INTO corpus.dropped BY NAME FROM examined_dropped;

DELETE FROM corpus.document
USING corpus.stream AS stream, examined_failed AS failed
WHERE document.stream_id = stream.stream_id AND stream.source_id = failed.source_id;

DELETE FROM corpus.dropped
USING corpus.stream AS stream, examined_failed AS failed
WHERE dropped.stream_id = stream.stream_id AND stream.source_id = failed.source_id AND dropped.chunking_id IS NULL;

INSERT INTO corpus.past_stream (stream_id, source_id, sha256)
SELECT stream_id, source_id, sha256
FROM corpus.stream
SEMI JOIN examined_failed USING (source_id)
ANTI JOIN corpus.past_stream USING (stream_id);

DELETE FROM corpus.stream
USING examined_failed AS failed
WHERE stream.source_id = failed.source_id;

UPDATE corpus.source_file
SET status = examined.status, error = examined.error
FROM examined_status AS examined
WHERE source_file.source_id = examined.source_id;
