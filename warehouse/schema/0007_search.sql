-- The word index: which segment in index/ holds the words of a text file, and which of its texts a search passes over.

CREATE TABLE corpus.search_index (
    text_file VARCHAR NOT NULL,
    file_number INTEGER NOT NULL,
    rule VARCHAR NOT NULL,
    index_file VARCHAR NOT NULL,
    n_chunks INTEGER NOT NULL,
    n_words BIGINT NOT NULL
);
COMMENT ON TABLE corpus.search_index IS 'One row a text file whose words lie in the word index; text files share segments.';
COMMENT ON COLUMN corpus.search_index.text_file IS 'Name of the Parquet file under text/.';
COMMENT ON COLUMN corpus.search_index.file_number IS 'Its number, by which segments name its texts.';
COMMENT ON COLUMN corpus.search_index.rule IS 'Version of what a word is and how a segment is laid out.';
COMMENT ON COLUMN corpus.search_index.index_file IS 'Name of the segment, a Parquet file under index/.';
COMMENT ON COLUMN corpus.search_index.n_chunks IS 'Texts of the file that the segment holds.';
COMMENT ON COLUMN corpus.search_index.n_words IS 'Words of these texts, repetitions counted.';

CREATE TABLE corpus.search_omission (
    text BIGINT NOT NULL,
    n_words INTEGER NOT NULL
);
COMMENT ON TABLE corpus.search_omission IS 'One row a text that the word index holds and a search passes over: its chunk is of a retired file or of a chunking that no recipe uses, or is gone.';
COMMENT ON COLUMN corpus.search_omission.text IS 'The text: file_number of corpus.search_index times 4294967296, and its row in that file.';
COMMENT ON COLUMN corpus.search_omission.n_words IS 'Words of the text, repetitions counted: they do not count for the mean length.';
