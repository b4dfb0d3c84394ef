-- Where the wanted contents lie: documents wanted by their own hash, those recorded now and those that were, and whole
-- streams, also those whose rows are gone. plain_stream: ids that streams of the wanted files have where they are no archives.
SELECT
    document.stream_id,
    stream.source_id,
    document.byte_start,
    document.byte_end,
    wanted.sha256
FROM corpus.document AS document
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN wanted ON document.raw_sha256 = wanted.sha256 AND wanted.scope = 'document'
UNION
SELECT
    document.stream_id,
    document.source_id,
    document.byte_start,
    document.byte_end,
    document.sha256
FROM corpus.forgotten_document AS document
INNER JOIN wanted ON document.sha256 = wanted.sha256 AND wanted.scope = 'document'
UNION
SELECT
    stream.stream_id,
    stream.source_id,
    0,
    9223372036854775807,
    wanted.sha256
FROM (
    SELECT stream_id, source_id, sha256 FROM corpus.stream
    UNION ALL
    SELECT stream_id, source_id, sha256 FROM corpus.past_stream
    UNION ALL
    SELECT stream_id, source_id, NULL FROM plain_stream
) AS stream
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
INNER JOIN wanted
    ON wanted.scope = 'file' AND (stream.sha256 = wanted.sha256 OR source_file.sha256 = wanted.sha256);
