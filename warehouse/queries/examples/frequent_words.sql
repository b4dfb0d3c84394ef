-- The words that stand in most chunks, of the word index: two letters or more.
SELECT word, count(*) AS n_chunks, sum(times)::BIGINT AS times
FROM corpus.search_posting
WHERE length(word) > 1
GROUP BY word
ORDER BY n_chunks DESC, word
LIMIT 50;
