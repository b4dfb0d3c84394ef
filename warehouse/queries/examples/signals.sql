-- How the most used quality signals are spread in each corpus.
SELECT signal, corpus, n_chunks, mean, least, percentile_5, percentile_25, median, percentile_75, percentile_95, greatest
FROM statistics.signal
WHERE signal IN ('n_words', 'mean_word_length', 'letter_share', 'digit_share', 'symbol_share', 'duplicate_line_share')
ORDER BY signal, corpus, chunking_id;
