-- A corpus of one file whose chunks are rows of the text files: ids, hashes and places are real, signals are not.
INSERT INTO corpus.corpus (corpus, licence, weight, added_at)
VALUES ('synthetic', 'CC0-1.0', 1.0, now());

INSERT INTO corpus.source_file BY NAME
SELECT
    uuid() AS source_id, 'synthetic' AS corpus, '/synthetic' AS path, ''::BLOB AS sha256, 0 AS n_bytes, 0 AS modified_ns,
    0 AS changed_ns, 'text/plain' AS media_type, 'CC0-1.0' AS licence, now() AS first_seen_at, 'read' AS status;

INSERT INTO corpus.stream BY NAME
SELECT
    uuid() AS stream_id, source_id, 'file' AS container, 0 AS n_bytes, ''::BLOB AS sha256, '1' AS code_version, 0 AS ordinal
FROM corpus.source_file;

INSERT INTO corpus.document BY NAME
SELECT
    uuid() AS document_id, stream_id, 0 AS ordinal, 0 AS byte_start, 0 AS byte_end, 'plain' AS reader,
    '1' AS reader_version, 'utf-8' AS encoding, 1.0 AS encoding_confidence, '{}' AS encoding_evidence, 'en' AS language,
    1.0 AS language_score, 0 AS n_characters
FROM corpus.stream;

INSERT INTO corpus.chunk BY NAME
SELECT
    CAST(hex(chunk_id) AS UUID) AS chunk_id, document.document_id, $chunking_id AS chunking_id, 0 AS ordinal,
    0 AS byte_start, 0 AS byte_end, 0 AS char_start, 0 AS char_end, 'utf-8' AS encoding, 1.0 AS encoding_confidence,
    '{}' AS encoding_evidence, '{}' AS repair, length(text) AS n_characters, 100 AS n_words, strlen(text) AS n_bytes,
    unhex(sha256(text)) AS text_sha256, parse_filename(filename) AS text_file, file_row_number AS text_row,
    'train' AS split, 1 AS n_lines, 0 AS n_replaced, 5.0 AS mean_word_length, 1.0 AS alphabetic_word_share,
    5 AS stop_word_kinds, 0.0 AS bullet_line_share, 0.0 AS ellipsis_line_share, 1.0 AS terminal_punctuation_line_share,
    0.0 AS short_line_share, 0.0 AS duplicate_line_share, 0.0 AS duplicate_line_character_share, 0.8 AS letter_share,
    0.0 AS digit_share, 0.0 AS uppercase_share
FROM read_parquet($texts, filename = TRUE, file_row_number = TRUE)
CROSS JOIN corpus.document AS document;
