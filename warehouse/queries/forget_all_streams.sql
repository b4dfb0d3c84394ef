-- Every stream that is recorded, or was.
SELECT stream_id FROM corpus.stream
UNION
SELECT stream_id FROM corpus.past_stream;
