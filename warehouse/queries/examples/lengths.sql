-- A histogram of the chunks' lengths in words.
SELECT corpus, bin_start::BIGINT AS from_words, bin_end::BIGINT AS to_words, n_chunks
FROM statistics.signal_histogram
WHERE signal = 'n_words'
ORDER BY corpus, bin_start, chunking_id;
