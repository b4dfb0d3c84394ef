-- What a question looks for.
SELECT corpus.search_query_words(CAST($question AS VARCHAR)) AS words;
