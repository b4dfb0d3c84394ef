INSERT INTO corpus.chunk BY NAME FROM cut_chunk;

INSERT INTO corpus.dropped BY NAME FROM cut_dropped;

UPDATE corpus.source_file
SET status = failure.status, error = failure.error
FROM cut_failure AS failure
WHERE source_file.source_id = failure.source_id;
