-- What readers of the published copy ask, in the order of QUESTIONS: a model's licences, its files, the models that saw a file, a chunk by its id with its file, and a filter over metadata with a histogram.
SELECT licence, n_files, n_tokens FROM (
    SELECT licence, count(*) AS n_files, sum(n_tokens) AS n_tokens
    FROM lineage.model_source WHERE checkpoint_id = $checkpoint_id GROUP BY licence
) ORDER BY licence;

SELECT source_id, path, n_chunks, n_tokens
FROM lineage.model_source WHERE checkpoint_id = $checkpoint_id ORDER BY n_tokens DESC, source_id LIMIT 100;

SELECT * FROM lineage.source_model WHERE source_id = $source_id ORDER BY ALL;

SELECT chunk.*, source_file.path, source_file.licence
FROM corpus.chunk_place AS place
INNER JOIN corpus.chunk AS chunk ON place.chunk_row = chunk.rowid
INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
WHERE place.chunk_id = $chunk_id;

SELECT n_characters // 100 AS bucket, count(*) AS n_chunks, sum(n_bytes) AS n_bytes
FROM corpus.chunk WHERE letter_share > 0.6 AND language = 'en' GROUP BY bucket ORDER BY bucket;
