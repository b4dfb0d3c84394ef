-- From a chunk to every decision that was taken on it.

CREATE OR REPLACE VIEW lineage.chunk_decision AS
WITH
repeated AS (
    SELECT
        chunk_id,
        count(*) AS n_repeated_passages,
        CAST(sum(char_end - char_start) AS BIGINT) AS n_repeated_characters
    FROM corpus.repeated_range
    GROUP BY chunk_id
),

contaminated AS (
    SELECT
        chunk_id,
        list_sort(list(DISTINCT evaluation_set)) AS evaluation_sets
    FROM corpus.contamination
    GROUP BY chunk_id
)

SELECT
    chunk.chunk_id,
    source_file.corpus,
    source_file.path,
    stream.member,
    source_file.licence,
    chunk.document_id,
    chunk.byte_start,
    chunk.byte_end,
    document.reader,
    document.reader_version,
    document.language,
    document.language_score,
    chunk.encoding,
    chunk.encoding_confidence,
    chunk.encoding_evidence,
    chunk.decoder_state,
    chunk.repair,
    chunk.n_replaced,
    chunk.split,
    chunk.n_characters,
    chunk.n_words,
    chunk.n_non_symbol_words,
    chunk.n_lines,
    chunk.mean_word_length,
    chunk.hash_word_ratio,
    chunk.ellipsis_word_ratio,
    chunk.alphabetic_word_share,
    chunk.stop_word_kinds,
    chunk.bullet_line_share,
    chunk.ellipsis_line_share,
    chunk.duplicate_line_share,
    chunk.duplicate_line_character_share,
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
    chunk.terminal_punctuation_line_share,
    chunk.short_line_share,
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
    chunk.letter_share,
    chunk.digit_share,
    chunk.symbol_share,
    chunk.punctuation_share,
    chunk.uppercase_share,
    chunk.whitespace_share,
    chunk.n_emails,
    chunk.n_phones,
    chunk.n_public_ips,
    chunk.n_cards,
    chunk.n_ibans,
    chunk.n_urls,
    chunk.language AS chunk_language,
    chunk.language_score AS chunk_language_score,
    duplicate_cluster.cluster_id,
    duplicate_cluster.threshold AS duplicate_threshold,
    perplexity.bits_per_byte,
    perplexity.perplexity,
    perplexity.percentile_in_corpus,
    perplexity.percentile_in_language,
    coalesce(repeated.n_repeated_passages, 0) AS n_repeated_passages,
    coalesce(repeated.n_repeated_characters, 0) AS n_repeated_characters,
    coalesce(contaminated.evaluation_sets, []) AS evaluation_sets,
    recipe.recipe,
    training_chunk.bucket,
    training_chunk.kept,
    training_chunk.reason,
    training_chunk.weight,
    training_chunk.keeper_id
FROM corpus.chunk
JOIN corpus.document ON document.document_id = chunk.document_id
JOIN corpus.stream ON stream.stream_id = document.stream_id
JOIN corpus.source_file ON source_file.source_id = stream.source_id
LEFT JOIN repeated ON repeated.chunk_id = chunk.chunk_id
LEFT JOIN contaminated ON contaminated.chunk_id = chunk.chunk_id
LEFT JOIN corpus.recipe ON recipe.chunking_id = chunk.chunking_id
LEFT JOIN corpus.training_chunk
    ON training_chunk.chunk_id = chunk.chunk_id AND training_chunk.recipe = recipe.recipe
LEFT JOIN corpus.perplexity
    ON perplexity.chunk_id = chunk.chunk_id AND perplexity.reference_id = recipe.reference_id
LEFT JOIN corpus.duplicate_cluster
    ON duplicate_cluster.chunk_id = chunk.chunk_id
    AND duplicate_cluster.threshold = CAST(recipe.definition ->> '$.duplicates.threshold' AS REAL);
COMMENT ON VIEW lineage.chunk_decision IS 'One row a chunk, with every decision on it, for each recipe that uses its chunking.';
COMMENT ON COLUMN lineage.chunk_decision.chunk_id IS 'The chunk.';
COMMENT ON COLUMN lineage.chunk_decision.corpus IS 'Name of the corpus.';
COMMENT ON COLUMN lineage.chunk_decision.path IS 'Path of the source file.';
COMMENT ON COLUMN lineage.chunk_decision.member IS 'Name in the container; NULL for the file itself.';
COMMENT ON COLUMN lineage.chunk_decision.licence IS 'SPDX expression that holds for the source file.';
COMMENT ON COLUMN lineage.chunk_decision.document_id IS 'The document.';
COMMENT ON COLUMN lineage.chunk_decision.byte_start IS 'First byte in the stream.';
COMMENT ON COLUMN lineage.chunk_decision.byte_end IS 'One past the last byte.';
COMMENT ON COLUMN lineage.chunk_decision.reader IS 'Reader that found the document.';
COMMENT ON COLUMN lineage.chunk_decision.reader_version IS 'Version of the reader.';
COMMENT ON COLUMN lineage.chunk_decision.language IS 'ISO 639-1 code of the document, und where undetermined.';
COMMENT ON COLUMN lineage.chunk_decision.language_score IS 'Probability of the language, 0 to 1.';
COMMENT ON COLUMN lineage.chunk_decision.encoding IS 'Encoding by which its bytes are decoded.';
COMMENT ON COLUMN lineage.chunk_decision.encoding_confidence IS 'Confidence of that decision, 0 to 1.';
COMMENT ON COLUMN lineage.chunk_decision.encoding_evidence IS 'JSON: what spoke for the encoding, the runners-up and flags.';
COMMENT ON COLUMN lineage.chunk_decision.decoder_state IS 'State that a stateful decoder has at byte_start; NULL for stateless encodings.';
COMMENT ON COLUMN lineage.chunk_decision.repair IS 'JSON: the replayable plan from decoded to stored text.';
COMMENT ON COLUMN lineage.chunk_decision.n_replaced IS 'Characters that stand for bytes which the encoding does not define.';
COMMENT ON COLUMN lineage.chunk_decision.split IS 'train, validation, select, confirm or report.';
COMMENT ON COLUMN lineage.chunk_decision.n_characters IS 'Characters of the stored text.';
COMMENT ON COLUMN lineage.chunk_decision.n_words IS 'Words: tokens of spaCy''s English rules, as datatrove counts them.';
COMMENT ON COLUMN lineage.chunk_decision.n_non_symbol_words IS 'Words that are not punctuation alone (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.n_lines IS 'Lines that are not blank.';
COMMENT ON COLUMN lineage.chunk_decision.mean_word_length IS 'Mean characters of a non-symbol word (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.hash_word_ratio IS 'Hash signs per word (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.ellipsis_word_ratio IS 'Ellipses per word (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.alphabetic_word_share IS 'Share of words with a letter (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.stop_word_kinds IS 'How many of the, be, to, of, and, that, have, with occur (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.bullet_line_share IS 'Share of lines that begin with a bullet or a hyphen (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.ellipsis_line_share IS 'Share of lines that end with an ellipsis (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.duplicate_line_share IS 'Share of lines that repeat an earlier line (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.duplicate_line_character_share IS 'Share of characters in such lines (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.duplicate_paragraph_share IS 'Share of paragraphs that repeat an earlier one (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.duplicate_paragraph_character_share IS 'Share of characters in such paragraphs (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.top_2gram_character_share IS 'Share of characters in the most frequent 2-gram of words (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.top_3gram_character_share IS 'Share of characters in the most frequent 3-gram of words (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.top_4gram_character_share IS 'Share of characters in the most frequent 4-gram of words (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.duplicate_5gram_character_share IS 'Share of characters in repeated 5-grams of words (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.duplicate_6gram_character_share IS 'Share of characters in repeated 6-grams of words (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.duplicate_7gram_character_share IS 'Share of characters in repeated 7-grams of words (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.duplicate_8gram_character_share IS 'Share of characters in repeated 8-grams of words (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.duplicate_9gram_character_share IS 'Share of characters in repeated 9-grams of words (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.duplicate_10gram_character_share IS 'Share of characters in repeated 10-grams of words (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.terminal_punctuation_line_share IS 'Share of non-blank lines with terminal punctuation at the end (FineWeb).';
COMMENT ON COLUMN lineage.chunk_decision.short_line_share IS 'Share of non-blank lines of at most 30 characters (FineWeb).';
COMMENT ON COLUMN lineage.chunk_decision.fineweb_duplicate_line_character_share IS 'Share of characters in non-blank lines that repeat an earlier one (FineWeb).';
COMMENT ON COLUMN lineage.chunk_decision.newline_word_ratio IS 'Newlines per word (FineWeb).';
COMMENT ON COLUMN lineage.chunk_decision.c4_n_sentences IS 'Sentences in the lines that C4''s rules keep.';
COMMENT ON COLUMN lineage.chunk_decision.c4_kept_character_share IS 'Share of characters in the lines that C4''s rules keep.';
COMMENT ON COLUMN lineage.chunk_decision.c4_n_long_word_lines IS 'Lines with a word of more than 1,000 characters (C4).';
COMMENT ON COLUMN lineage.chunk_decision.c4_n_unterminated_lines IS 'Further lines that end in none of . ! ? " '' or in ... (C4).';
COMMENT ON COLUMN lineage.chunk_decision.c4_n_few_word_lines IS 'Further lines of fewer than 3 words (C4).';
COMMENT ON COLUMN lineage.chunk_decision.c4_n_javascript_lines IS 'Further lines with the word javascript (C4).';
COMMENT ON COLUMN lineage.chunk_decision.c4_n_policy_lines IS 'Further lines with a phrase of cookie and privacy notices (C4).';
COMMENT ON COLUMN lineage.chunk_decision.c4_has_lorem_ipsum IS 'Whether a line that comes so far holds lorem ipsum (C4).';
COMMENT ON COLUMN lineage.chunk_decision.c4_has_curly_bracket IS 'Whether a line that comes so far holds a curly bracket (C4).';
COMMENT ON COLUMN lineage.chunk_decision.script IS 'Unicode script of most letters; Common where there are none or only rare ones.';
COMMENT ON COLUMN lineage.chunk_decision.script_share IS 'Share of letters in that script.';
COMMENT ON COLUMN lineage.chunk_decision.letter_share IS 'Share of characters that are letters.';
COMMENT ON COLUMN lineage.chunk_decision.digit_share IS 'Share of characters that are decimal digits of any script.';
COMMENT ON COLUMN lineage.chunk_decision.symbol_share IS 'Share of characters that are symbols (Unicode S).';
COMMENT ON COLUMN lineage.chunk_decision.punctuation_share IS 'Share of characters that are punctuation (Unicode P).';
COMMENT ON COLUMN lineage.chunk_decision.uppercase_share IS 'Share of letters that are upper case.';
COMMENT ON COLUMN lineage.chunk_decision.whitespace_share IS 'Share of characters that are white space.';
COMMENT ON COLUMN lineage.chunk_decision.n_emails IS 'E-mail addresses.';
COMMENT ON COLUMN lineage.chunk_decision.n_phones IS 'Phone numbers.';
COMMENT ON COLUMN lineage.chunk_decision.n_public_ips IS 'Public IP addresses.';
COMMENT ON COLUMN lineage.chunk_decision.n_cards IS 'Card numbers with a valid check digit.';
COMMENT ON COLUMN lineage.chunk_decision.n_ibans IS 'Account numbers (IBAN) with valid check digits.';
COMMENT ON COLUMN lineage.chunk_decision.n_urls IS 'URLs.';
COMMENT ON COLUMN lineage.chunk_decision.chunk_language IS 'ISO 639-1 code of the chunk alone; und below 20 letters.';
COMMENT ON COLUMN lineage.chunk_decision.chunk_language_score IS 'Probability of that language, 0 to 1.';
COMMENT ON COLUMN lineage.chunk_decision.cluster_id IS 'Cluster of near-duplicates that it belongs to; NULL where it has none.';
COMMENT ON COLUMN lineage.chunk_decision.duplicate_threshold IS 'Smallest Jaccard similarity of a link in that cluster.';
COMMENT ON COLUMN lineage.chunk_decision.bits_per_byte IS 'Total bits / UTF-8 bytes under the recipe''s perplexity reference.';
COMMENT ON COLUMN lineage.chunk_decision.perplexity IS 'exp(total nats / tokens) under that reference.';
COMMENT ON COLUMN lineage.chunk_decision.percentile_in_corpus IS 'Share of the current chunks of its corpus that are more likely, 0 to 1.';
COMMENT ON COLUMN lineage.chunk_decision.percentile_in_language IS 'The same among the current chunks of its language.';
COMMENT ON COLUMN lineage.chunk_decision.n_repeated_passages IS 'Places in it where a paragraph or line stands that other documents hold too; a recipe says from how many on they are left out.';
COMMENT ON COLUMN lineage.chunk_decision.n_repeated_characters IS 'Characters of these places.';
COMMENT ON COLUMN lineage.chunk_decision.evaluation_sets IS 'Evaluation sets of which an item was found in it; held_out stands for a held-out chunk.';
COMMENT ON COLUMN lineage.chunk_decision.recipe IS 'The recipe that kept or dropped it; NULL where none uses its chunking.';
COMMENT ON COLUMN lineage.chunk_decision.bucket IS 'Perplexity bucket in its corpus.';
COMMENT ON COLUMN lineage.chunk_decision.kept IS 'Whether the recipe keeps it for training.';
COMMENT ON COLUMN lineage.chunk_decision.reason IS 'Why it was dropped; NULL where it was kept.';
COMMENT ON COLUMN lineage.chunk_decision.weight IS 'How often it counts in training; 1 is once.';
COMMENT ON COLUMN lineage.chunk_decision.keeper_id IS 'The chunk that stands for its cluster.';
