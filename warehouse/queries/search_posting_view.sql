-- The source is a list of the absolute paths of segments, or an empty relation where there is none yet.
CREATE OR REPLACE VIEW corpus.search_posting AS
SELECT
    posting.word,
    posting.text,
    posting.times,
    posting.n_words
FROM $source AS posting;

COMMENT ON VIEW corpus.search_posting IS 'One row a word and a text in which it stands, read from the word index of the home; also one row of the empty word a text.';
COMMENT ON COLUMN corpus.search_posting.word IS 'The word as corpus.search_words gives it; empty for the text itself.';
COMMENT ON COLUMN corpus.search_posting.text IS 'The text: file_number of corpus.search_index times 4294967296, and its row in that file.';
COMMENT ON COLUMN corpus.search_posting.times IS 'How often the word stands in the text; 0 for the empty word.';
COMMENT ON COLUMN corpus.search_posting.n_words IS 'Words of the text, repetitions counted.';
