-- Under which licences stands the text that counts now.
SELECT licence, n_corpora, n_files, n_documents, n_chunks, n_bytes, n_words
FROM statistics.licence
ORDER BY n_bytes DESC, licence, chunking_id;
