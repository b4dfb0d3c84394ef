-- How much text there is in each language of each corpus, and how sure that is.
SELECT corpus, language, n_documents, n_chunks, n_bytes, round(mean_language_score, 3) AS mean_language_score
FROM statistics.language
ORDER BY corpus, n_bytes DESC, language, chunking_id;
