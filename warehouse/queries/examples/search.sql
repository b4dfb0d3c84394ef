-- The chunks that answer a question best (here: licence warranty), with their files; copy it and ask your own.
SELECT found.score, found.n_words_found, found.chunk_id, source_file.corpus, source_file.path
FROM corpus.search('licence warranty', n := 20) AS found
JOIN lineage.chunk_source AS source_file ON source_file.chunk_id = found.chunk_id
ORDER BY found.score DESC, found.chunk_id;
