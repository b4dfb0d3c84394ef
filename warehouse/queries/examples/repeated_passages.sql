-- The most repeated passages: in how many documents each stands, how long it is, and the file of its first copy.
SELECT
    passage.level, passage.n_documents, passage.n_occurrences, passage.n_characters, source_file.corpus, source_file.path
FROM corpus.repeated_passage AS passage
JOIN lineage.chunk_source AS source_file ON source_file.chunk_id = passage.first_chunk_id
ORDER BY passage.n_documents DESC, passage.n_characters DESC, passage.passage_id
LIMIT 200;
