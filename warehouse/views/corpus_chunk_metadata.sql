-- What is known of each chunk that counts now, in one row: what a filter of served or searched chunks may name.

CREATE OR REPLACE VIEW corpus.chunk_metadata AS
SELECT
    chunk.chunk_id,
    chunk.document_id,
    chunk.chunking_id,
    document.stream_id,
    source_file.source_id,
    source_file.corpus,
    source_file.path,
    stream.member,
    source_file.licence,
    source_file.media_type,
    source_file.first_seen_at,
    document.reader,
    document.title,
    document.language,
    document.language_score,
    document.n_characters AS document_n_characters,
    chunk.ordinal,
    chunk.split,
    chunk.encoding,
    chunk.encoding_confidence,
    chunk.language AS chunk_language,
    chunk.language_score AS chunk_language_score,
    chunk.n_characters,
    chunk.n_words,
    chunk.n_bytes,
    chunk.n_lines,
    chunk.n_replaced,
    chunk.mean_word_length,
    chunk.alphabetic_word_share,
    chunk.stop_word_kinds,
    chunk.bullet_line_share,
    chunk.ellipsis_line_share,
    chunk.terminal_punctuation_line_share,
    chunk.short_line_share,
    chunk.duplicate_line_share,
    chunk.duplicate_line_character_share,
    chunk.letter_share,
    chunk.digit_share,
    chunk.uppercase_share,
    chunk.n_non_symbol_words,
    chunk.hash_word_ratio,
    chunk.ellipsis_word_ratio,
    chunk.duplicate_paragraph_share,
    chunk.duplicate_paragraph_character_share,
    chunk.top_2gram_character_share,
    chunk.top_3gram_character_share,
    chunk.top_4gram_character_share,
    chunk.duplicate_5gram_character_share,
    chunk.duplicate_6gram_character_share,
    chunk.duplicate_7gram_character_share,
    chunk.duplicate_8gram_character_share,
    chunk.duplicate_9gram_character_share,
    chunk.duplicate_10gram_character_share,
    chunk.fineweb_duplicate_line_character_share,
    chunk.newline_word_ratio,
    chunk.c4_n_sentences,
    chunk.c4_kept_character_share,
    chunk.c4_n_long_word_lines,
    chunk.c4_n_unterminated_lines,
    chunk.c4_n_few_word_lines,
    chunk.c4_n_javascript_lines,
    chunk.c4_n_policy_lines,
    chunk.c4_has_lorem_ipsum,
    chunk.c4_has_curly_bracket,
    chunk.script,
    chunk.script_share,
    chunk.symbol_share,
    chunk.punctuation_share,
    chunk.whitespace_share,
    chunk.n_emails,
    chunk.n_phones,
    chunk.n_public_ips,
    chunk.n_cards,
    chunk.n_ibans,
    chunk.n_urls,
    chunk.text_file,
    chunk.text_row
FROM corpus.chunk AS chunk
INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
WHERE
    source_file.retired_at IS NULL
    AND NOT EXISTS (
        FROM corpus.forgotten AS forgotten
        WHERE forgotten.scope = 'file' AND forgotten.sha256 = source_file.sha256
    );
COMMENT ON VIEW corpus.chunk_metadata IS 'One row a chunk of a file that is neither retired nor forgotten, with what is known of it, its document and its file.';
COMMENT ON COLUMN corpus.chunk_metadata.chunk_id IS 'The chunk.';
COMMENT ON COLUMN corpus.chunk_metadata.document_id IS 'Its document.';
COMMENT ON COLUMN corpus.chunk_metadata.chunking_id IS 'The chunking that cut it.';
COMMENT ON COLUMN corpus.chunk_metadata.stream_id IS 'The byte stream of its document.';
COMMENT ON COLUMN corpus.chunk_metadata.source_id IS 'The source file of the stream.';
COMMENT ON COLUMN corpus.chunk_metadata.corpus IS 'Name of the corpus.';
COMMENT ON COLUMN corpus.chunk_metadata.path IS 'Path of the source file.';
COMMENT ON COLUMN corpus.chunk_metadata.member IS 'Name in the container; NULL for the file itself.';
COMMENT ON COLUMN corpus.chunk_metadata.licence IS 'SPDX expression that holds for the source file.';
COMMENT ON COLUMN corpus.chunk_metadata.media_type IS 'Media type of the source file, by its name.';
COMMENT ON COLUMN corpus.chunk_metadata.first_seen_at IS 'When this content of the source file was first seen.';
COMMENT ON COLUMN corpus.chunk_metadata.reader IS 'Reader that found the document.';
COMMENT ON COLUMN corpus.chunk_metadata.title IS 'What the document calls itself, else its first short line or heading.';
COMMENT ON COLUMN corpus.chunk_metadata.language IS 'ISO 639-1 code of the document; und where undetermined.';
COMMENT ON COLUMN corpus.chunk_metadata.language_score IS 'Probability of that language, 0 to 1.';
COMMENT ON COLUMN corpus.chunk_metadata.document_n_characters IS 'Characters of the document, before repair.';
COMMENT ON COLUMN corpus.chunk_metadata.ordinal IS 'Place in the document, from 0.';
COMMENT ON COLUMN corpus.chunk_metadata.split IS 'train, validation, select, confirm or report.';
COMMENT ON COLUMN corpus.chunk_metadata.encoding IS 'Encoding by which its bytes are decoded.';
COMMENT ON COLUMN corpus.chunk_metadata.encoding_confidence IS 'Confidence of that decision, 0 to 1.';
COMMENT ON COLUMN corpus.chunk_metadata.chunk_language IS 'ISO 639-1 code of the chunk alone; und below 20 letters.';
COMMENT ON COLUMN corpus.chunk_metadata.chunk_language_score IS 'Probability of that language, 0 to 1.';
COMMENT ON COLUMN corpus.chunk_metadata.n_characters IS 'Characters of the stored text.';
COMMENT ON COLUMN corpus.chunk_metadata.n_words IS 'Words: tokens of spaCy''s English rules, as datatrove counts them.';
COMMENT ON COLUMN corpus.chunk_metadata.n_bytes IS 'UTF-8 bytes of the stored text: what bits per byte counts.';
COMMENT ON COLUMN corpus.chunk_metadata.n_lines IS 'Lines that are not blank.';
COMMENT ON COLUMN corpus.chunk_metadata.n_replaced IS 'Characters that stand for bytes which the encoding does not define.';
COMMENT ON COLUMN corpus.chunk_metadata.mean_word_length IS 'Mean characters of a non-symbol word (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.alphabetic_word_share IS 'Share of words with a letter (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.stop_word_kinds IS 'How many of the, be, to, of, and, that, have, with occur (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.bullet_line_share IS 'Share of lines that begin with a bullet or a hyphen (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.ellipsis_line_share IS 'Share of lines that end with an ellipsis (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.terminal_punctuation_line_share IS 'Share of non-blank lines with terminal punctuation at the end (FineWeb).';
COMMENT ON COLUMN corpus.chunk_metadata.short_line_share IS 'Share of non-blank lines of at most 30 characters (FineWeb).';
COMMENT ON COLUMN corpus.chunk_metadata.duplicate_line_share IS 'Share of lines that repeat an earlier line (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.duplicate_line_character_share IS 'Share of characters in such lines (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.letter_share IS 'Share of characters that are letters.';
COMMENT ON COLUMN corpus.chunk_metadata.digit_share IS 'Share of characters that are decimal digits of any script.';
COMMENT ON COLUMN corpus.chunk_metadata.uppercase_share IS 'Share of letters that are upper case.';
COMMENT ON COLUMN corpus.chunk_metadata.n_non_symbol_words IS 'Words that are not punctuation alone (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.hash_word_ratio IS 'Hash signs per word (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.ellipsis_word_ratio IS 'Ellipses per word (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.duplicate_paragraph_share IS 'Share of paragraphs that repeat an earlier one (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.duplicate_paragraph_character_share IS 'Share of characters in such paragraphs (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.top_2gram_character_share IS 'Share of characters in the most frequent 2-gram of words (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.top_3gram_character_share IS 'Share of characters in the most frequent 3-gram of words (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.top_4gram_character_share IS 'Share of characters in the most frequent 4-gram of words (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.duplicate_5gram_character_share IS 'Share of characters in repeated 5-grams of words (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.duplicate_6gram_character_share IS 'Share of characters in repeated 6-grams of words (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.duplicate_7gram_character_share IS 'Share of characters in repeated 7-grams of words (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.duplicate_8gram_character_share IS 'Share of characters in repeated 8-grams of words (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.duplicate_9gram_character_share IS 'Share of characters in repeated 9-grams of words (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.duplicate_10gram_character_share IS 'Share of characters in repeated 10-grams of words (Gopher).';
COMMENT ON COLUMN corpus.chunk_metadata.fineweb_duplicate_line_character_share IS 'Share of characters in non-blank lines that repeat an earlier one (FineWeb).';
COMMENT ON COLUMN corpus.chunk_metadata.newline_word_ratio IS 'Newlines per word (FineWeb).';
COMMENT ON COLUMN corpus.chunk_metadata.c4_n_sentences IS 'Sentences in the lines that C4''s rules keep.';
COMMENT ON COLUMN corpus.chunk_metadata.c4_kept_character_share IS 'Share of characters in the lines that C4''s rules keep.';
COMMENT ON COLUMN corpus.chunk_metadata.c4_n_long_word_lines IS 'Lines with a word of more than 1,000 characters (C4).';
COMMENT ON COLUMN corpus.chunk_metadata.c4_n_unterminated_lines IS 'Further lines that end in none of . ! ? " '' or in ... (C4).';
COMMENT ON COLUMN corpus.chunk_metadata.c4_n_few_word_lines IS 'Further lines of fewer than 3 words (C4).';
COMMENT ON COLUMN corpus.chunk_metadata.c4_n_javascript_lines IS 'Further lines with the word javascript (C4).';
COMMENT ON COLUMN corpus.chunk_metadata.c4_n_policy_lines IS 'Further lines with a phrase of cookie and privacy notices (C4).';
COMMENT ON COLUMN corpus.chunk_metadata.c4_has_lorem_ipsum IS 'Whether a line that comes so far holds lorem ipsum (C4).';
COMMENT ON COLUMN corpus.chunk_metadata.c4_has_curly_bracket IS 'Whether a line that comes so far holds a curly bracket (C4).';
COMMENT ON COLUMN corpus.chunk_metadata.script IS 'Unicode script of most letters; Common where there are none or only rare ones.';
COMMENT ON COLUMN corpus.chunk_metadata.script_share IS 'Share of letters in that script.';
COMMENT ON COLUMN corpus.chunk_metadata.symbol_share IS 'Share of characters that are symbols (Unicode S).';
COMMENT ON COLUMN corpus.chunk_metadata.punctuation_share IS 'Share of characters that are punctuation (Unicode P).';
COMMENT ON COLUMN corpus.chunk_metadata.whitespace_share IS 'Share of characters that are white space.';
COMMENT ON COLUMN corpus.chunk_metadata.n_emails IS 'E-mail addresses.';
COMMENT ON COLUMN corpus.chunk_metadata.n_phones IS 'Phone numbers.';
COMMENT ON COLUMN corpus.chunk_metadata.n_public_ips IS 'Public IP addresses.';
COMMENT ON COLUMN corpus.chunk_metadata.n_cards IS 'Card numbers with a valid check digit.';
COMMENT ON COLUMN corpus.chunk_metadata.n_ibans IS 'Account numbers (IBAN) with valid check digits.';
COMMENT ON COLUMN corpus.chunk_metadata.n_urls IS 'URLs.';
COMMENT ON COLUMN corpus.chunk_metadata.text_file IS 'Name of the Parquet file under text/ that holds the text.';
COMMENT ON COLUMN corpus.chunk_metadata.text_row IS 'Row in that file, from 0.';
