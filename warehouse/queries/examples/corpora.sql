-- How much text each corpus has that counts now: files, documents, chunks, bytes, words, languages.
SELECT corpus, n_files, n_documents, n_chunks, n_bytes, n_words, n_languages, n_replaced
FROM statistics.corpus
ORDER BY n_bytes DESC, corpus, chunking_id;
