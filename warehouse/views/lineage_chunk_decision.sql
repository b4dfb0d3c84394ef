-- From a chunk to every decision that was taken on it.

CREATE OR REPLACE VIEW lineage.chunk_decision AS
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
    chunk.n_lines,
    chunk.mean_word_length,
    chunk.alphabetic_word_share,
    chunk.symbol_word_ratio,
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
    duplicate_cluster.cluster_id,
    duplicate_cluster.threshold AS duplicate_threshold,
    perplexity.bits_per_byte,
    perplexity.perplexity,
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
COMMENT ON COLUMN lineage.chunk_decision.n_words IS 'Words separated by white space.';
COMMENT ON COLUMN lineage.chunk_decision.n_lines IS 'Lines that are not blank.';
COMMENT ON COLUMN lineage.chunk_decision.mean_word_length IS 'Mean characters a word (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.alphabetic_word_share IS 'Share of words with a letter (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.symbol_word_ratio IS 'Hash signs and ellipses per word, the larger of the two (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.stop_word_kinds IS 'How many of the, be, to, of, and, that, have, with occur (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.bullet_line_share IS 'Share of lines that begin with a bullet (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.ellipsis_line_share IS 'Share of lines that end with an ellipsis (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.terminal_punctuation_line_share IS 'Share of lines that end with terminal punctuation (FineWeb).';
COMMENT ON COLUMN lineage.chunk_decision.short_line_share IS 'Share of lines of at most 30 characters (FineWeb).';
COMMENT ON COLUMN lineage.chunk_decision.duplicate_line_share IS 'Share of lines that repeat an earlier line (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.duplicate_line_character_share IS 'Share of characters in lines that repeat an earlier line (Gopher).';
COMMENT ON COLUMN lineage.chunk_decision.letter_share IS 'Share of characters that are letters.';
COMMENT ON COLUMN lineage.chunk_decision.digit_share IS 'Share of characters that are digits.';
COMMENT ON COLUMN lineage.chunk_decision.uppercase_share IS 'Share of letters that are upper case.';
COMMENT ON COLUMN lineage.chunk_decision.cluster_id IS 'Cluster of near-duplicates that it belongs to; NULL where it has none.';
COMMENT ON COLUMN lineage.chunk_decision.duplicate_threshold IS 'Smallest Jaccard similarity of a link in that cluster.';
COMMENT ON COLUMN lineage.chunk_decision.bits_per_byte IS 'Total bits / UTF-8 bytes under the recipe''s perplexity reference.';
COMMENT ON COLUMN lineage.chunk_decision.perplexity IS 'exp(total nats / tokens) under that reference.';
COMMENT ON COLUMN lineage.chunk_decision.recipe IS 'The recipe that kept or dropped it; NULL where none uses its chunking.';
COMMENT ON COLUMN lineage.chunk_decision.bucket IS 'Perplexity bucket in its corpus.';
COMMENT ON COLUMN lineage.chunk_decision.kept IS 'Whether the recipe keeps it for training.';
COMMENT ON COLUMN lineage.chunk_decision.reason IS 'Why it was dropped; NULL where it was kept.';
COMMENT ON COLUMN lineage.chunk_decision.weight IS 'How often it counts in training; 1 is once.';
COMMENT ON COLUMN lineage.chunk_decision.keeper_id IS 'The chunk that stands for its cluster.';
