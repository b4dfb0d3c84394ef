-- Documents of current files.
SELECT count(*) AS n_documents
FROM corpus.document AS document
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
WHERE source_file.retired_at IS NULL;
