-- Takes what forget_resolve.sql found out of every table of a database, with all that was said of it.
DELETE FROM corpus.private_range WHERE chunk_id IN (SELECT chunk_id FROM gone_chunk);
DELETE FROM corpus.perplexity WHERE chunk_id IN (SELECT chunk_id FROM gone_chunk);
DELETE FROM corpus.passage_index WHERE chunk_id IN (SELECT chunk_id FROM gone_chunk);
DELETE FROM corpus.repeated_range WHERE chunk_id IN (SELECT chunk_id FROM gone_chunk);
DELETE FROM corpus.contamination_search WHERE chunk_id IN (SELECT chunk_id FROM gone_chunk);
DELETE FROM corpus.held_out_search WHERE chunk_id IN (SELECT chunk_id FROM gone_chunk);
DELETE FROM corpus.duplicate_cluster WHERE chunk_id IN (SELECT chunk_id FROM gone_chunk);

DELETE FROM corpus.contamination
WHERE
    chunk_id IN (SELECT chunk_id FROM gone_chunk)
    OR (evaluation_set = 'held_out' AND item_id IN (SELECT chunk_id FROM gone_chunk));

DELETE FROM corpus.duplicate_pair
WHERE chunk_a IN (SELECT chunk_id FROM gone_chunk) OR chunk_b IN (SELECT chunk_id FROM gone_chunk);

-- What the last join proposed cannot be told without the band keys that go: all is compared again.
UPDATE corpus.signature
SET compared = FALSE
WHERE compared AND EXISTS (FROM corpus.signature AS gone WHERE gone.chunk_id IN (SELECT chunk_id FROM gone_chunk));

DELETE FROM corpus.signature WHERE chunk_id IN (SELECT chunk_id FROM gone_chunk);

-- What lay within a document is part of its range now; of a forgotten file nothing is said any more.
DELETE FROM corpus.dropped
USING gone_document
WHERE
    dropped.stream_id = gone_document.stream_id
    AND dropped.byte_start >= gone_document.byte_start
    AND dropped.byte_end <= gone_document.byte_end;

INSERT INTO corpus.dropped (stream_id, byte_start, byte_end, reason)
SELECT
    stream_id,
    byte_start,
    byte_end,
    'forgotten' AS reason
FROM gone_document
WHERE source_id NOT IN (SELECT source_id FROM gone_source);

INSERT INTO corpus.dropped (stream_id, chunking_id, byte_start, byte_end, reason)
SELECT DISTINCT
    stream_id,
    chunking_id,
    byte_start,
    byte_end,
    'forgotten' AS reason
FROM gone_chunk
WHERE NOT is_of_gone_document AND stream_id IS NOT NULL;

DELETE FROM corpus.chunk WHERE chunk_id IN (SELECT chunk_id FROM gone_chunk);
DELETE FROM corpus.document WHERE document_id IN (SELECT document_id FROM gone_document);

UPDATE corpus.document
SET title = NULL
WHERE document_id IN (SELECT document_id FROM touched_document);

DELETE FROM corpus.dropped
WHERE
    stream_id IN (
        SELECT stream.stream_id
        FROM corpus.stream AS stream
        INNER JOIN gone_source ON stream.source_id = gone_source.source_id
    );

DELETE FROM corpus.stream WHERE source_id IN (SELECT source_id FROM gone_source);
DELETE FROM corpus.past_stream WHERE source_id IN (SELECT source_id FROM gone_source);

UPDATE corpus.source_file
SET status = 'forgotten', error = NULL
WHERE source_id IN (SELECT source_id FROM gone_source);
