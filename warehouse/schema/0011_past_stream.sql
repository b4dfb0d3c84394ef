-- Streams whose rows are gone while chunks of them may remain: by their ids such chunks are told when a file is forgotten.

CREATE TABLE corpus.past_stream (
    stream_id UUID NOT NULL,
    source_id UUID NOT NULL,
    sha256 BLOB NOT NULL
);
COMMENT ON TABLE corpus.past_stream IS 'One row a stream that an examination gave up and none has found again; chunks that were cut from it may remain.';
COMMENT ON COLUMN corpus.past_stream.stream_id IS 'The stream that was in corpus.stream.';
COMMENT ON COLUMN corpus.past_stream.source_id IS 'The file that held it.';
COMMENT ON COLUMN corpus.past_stream.sha256 IS 'Hash of its bytes, as it was recorded.';
