-- Statistics of the chunks that count now: by corpus, language, licence and script, and of every signal.
-- A view of signals reads only the columns of the signals that a query names: WHERE signal = 'n_words'.

CREATE SCHEMA IF NOT EXISTS statistics;

-- Chunks are summed up by document before anything is joined: there are some fifty times as many.
CREATE OR REPLACE VIEW statistics.document AS
WITH cut AS (
    SELECT
        document_id,
        chunking_id,
        count(*) AS n_chunks,
        sum(n_bytes)::BIGINT AS n_bytes,
        sum(n_characters)::BIGINT AS n_characters,
        sum(n_words)::BIGINT AS n_words,
        sum(n_replaced)::BIGINT AS n_replaced
    FROM corpus.chunk
    GROUP BY document_id, chunking_id
)

SELECT
    cut.document_id,
    cut.chunking_id,
    source_file.corpus,
    source_file.source_id,
    source_file.licence,
    document.language,
    document.language_score,
    cut.n_chunks,
    cut.n_bytes,
    cut.n_characters,
    cut.n_words,
    cut.n_replaced
FROM cut
JOIN corpus.document ON document.document_id = cut.document_id
JOIN corpus.stream ON stream.stream_id = document.stream_id
JOIN corpus.source_file ON source_file.source_id = stream.source_id
WHERE source_file.retired_at IS NULL;
COMMENT ON VIEW statistics.document IS 'One row a document of a file that is not retired, and a chunking, with the sums over its chunks.';
COMMENT ON COLUMN statistics.document.document_id IS 'The document.';
COMMENT ON COLUMN statistics.document.chunking_id IS 'The chunking; more than one where recipes cut differently.';
COMMENT ON COLUMN statistics.document.corpus IS 'Name of the corpus.';
COMMENT ON COLUMN statistics.document.source_id IS 'The source file.';
COMMENT ON COLUMN statistics.document.licence IS 'SPDX expression that holds for the source file.';
COMMENT ON COLUMN statistics.document.language IS 'ISO 639-1 code, und where undetermined.';
COMMENT ON COLUMN statistics.document.language_score IS 'Probability of the language, 0 to 1.';
COMMENT ON COLUMN statistics.document.n_chunks IS 'Chunks.';
COMMENT ON COLUMN statistics.document.n_bytes IS 'UTF-8 bytes of their clean text.';
COMMENT ON COLUMN statistics.document.n_characters IS 'Characters of it.';
COMMENT ON COLUMN statistics.document.n_words IS 'Words of it.';
COMMENT ON COLUMN statistics.document.n_replaced IS 'Characters that stand for bytes which the encoding does not define.';

CREATE OR REPLACE VIEW statistics.corpus AS
SELECT
    corpus,
    chunking_id,
    count(DISTINCT source_id) AS n_files,
    count(*) AS n_documents,
    sum(n_chunks)::BIGINT AS n_chunks,
    sum(n_bytes)::BIGINT AS n_bytes,
    sum(n_characters)::BIGINT AS n_characters,
    sum(n_words)::BIGINT AS n_words,
    sum(n_replaced)::BIGINT AS n_replaced,
    count(DISTINCT language) AS n_languages
FROM statistics.document
GROUP BY corpus, chunking_id;
COMMENT ON VIEW statistics.corpus IS 'One row a corpus and a chunking: how much text counts now.';
COMMENT ON COLUMN statistics.corpus.corpus IS 'Name of the corpus.';
COMMENT ON COLUMN statistics.corpus.chunking_id IS 'The chunking; more than one where recipes cut differently.';
COMMENT ON COLUMN statistics.corpus.n_files IS 'Files that gave text.';
COMMENT ON COLUMN statistics.corpus.n_documents IS 'Documents.';
COMMENT ON COLUMN statistics.corpus.n_chunks IS 'Chunks.';
COMMENT ON COLUMN statistics.corpus.n_bytes IS 'UTF-8 bytes of the clean text.';
COMMENT ON COLUMN statistics.corpus.n_characters IS 'Characters of it.';
COMMENT ON COLUMN statistics.corpus.n_words IS 'Words of it.';
COMMENT ON COLUMN statistics.corpus.n_replaced IS 'Characters that stand for bytes which the encoding does not define.';
COMMENT ON COLUMN statistics.corpus.n_languages IS 'Different languages of its documents.';

CREATE OR REPLACE VIEW statistics.language AS
SELECT
    corpus,
    language,
    chunking_id,
    count(DISTINCT source_id) AS n_files,
    count(*) AS n_documents,
    sum(n_chunks)::BIGINT AS n_chunks,
    sum(n_bytes)::BIGINT AS n_bytes,
    sum(n_characters)::BIGINT AS n_characters,
    sum(n_words)::BIGINT AS n_words,
    sum(n_replaced)::BIGINT AS n_replaced,
    avg(language_score) AS mean_language_score
FROM statistics.document
GROUP BY corpus, language, chunking_id;
COMMENT ON VIEW statistics.language IS 'One row a corpus, a language of its documents and a chunking.';
COMMENT ON COLUMN statistics.language.corpus IS 'Name of the corpus.';
COMMENT ON COLUMN statistics.language.language IS 'ISO 639-1 code of the documents, und where undetermined.';
COMMENT ON COLUMN statistics.language.chunking_id IS 'The chunking; more than one where recipes cut differently.';
COMMENT ON COLUMN statistics.language.n_files IS 'Files that gave text.';
COMMENT ON COLUMN statistics.language.n_documents IS 'Documents.';
COMMENT ON COLUMN statistics.language.n_chunks IS 'Chunks.';
COMMENT ON COLUMN statistics.language.n_bytes IS 'UTF-8 bytes of the clean text.';
COMMENT ON COLUMN statistics.language.n_characters IS 'Characters of it.';
COMMENT ON COLUMN statistics.language.n_words IS 'Words of it.';
COMMENT ON COLUMN statistics.language.n_replaced IS 'Characters that stand for bytes which the encoding does not define.';
COMMENT ON COLUMN statistics.language.mean_language_score IS 'Mean probability of the language, over documents.';

CREATE OR REPLACE VIEW statistics.licence AS
SELECT
    licence,
    chunking_id,
    count(DISTINCT source_id) AS n_files,
    count(*) AS n_documents,
    sum(n_chunks)::BIGINT AS n_chunks,
    sum(n_bytes)::BIGINT AS n_bytes,
    sum(n_characters)::BIGINT AS n_characters,
    sum(n_words)::BIGINT AS n_words,
    sum(n_replaced)::BIGINT AS n_replaced,
    count(DISTINCT corpus) AS n_corpora
FROM statistics.document
GROUP BY licence, chunking_id;
COMMENT ON VIEW statistics.licence IS 'One row a licence of source files and a chunking.';
COMMENT ON COLUMN statistics.licence.licence IS 'SPDX expression.';
COMMENT ON COLUMN statistics.licence.chunking_id IS 'The chunking; more than one where recipes cut differently.';
COMMENT ON COLUMN statistics.licence.n_files IS 'Files that gave text.';
COMMENT ON COLUMN statistics.licence.n_documents IS 'Documents.';
COMMENT ON COLUMN statistics.licence.n_chunks IS 'Chunks.';
COMMENT ON COLUMN statistics.licence.n_bytes IS 'UTF-8 bytes of the clean text.';
COMMENT ON COLUMN statistics.licence.n_characters IS 'Characters of it.';
COMMENT ON COLUMN statistics.licence.n_words IS 'Words of it.';
COMMENT ON COLUMN statistics.licence.n_replaced IS 'Characters that stand for bytes which the encoding does not define.';
COMMENT ON COLUMN statistics.licence.n_corpora IS 'Corpora with such files.';

CREATE OR REPLACE VIEW statistics.script AS
SELECT
    source_file.corpus,
    chunk.script,
    chunk.chunking_id,
    count(*) AS n_chunks,
    sum(chunk.n_characters)::BIGINT AS n_characters
FROM corpus.chunk
JOIN corpus.document ON document.document_id = chunk.document_id
JOIN corpus.stream ON stream.stream_id = document.stream_id
JOIN corpus.source_file ON source_file.source_id = stream.source_id
WHERE source_file.retired_at IS NULL
GROUP BY source_file.corpus, chunk.script, chunk.chunking_id;
COMMENT ON VIEW statistics.script IS 'One row a corpus, a script in which chunks are written and a chunking.';
COMMENT ON COLUMN statistics.script.corpus IS 'Name of the corpus.';
COMMENT ON COLUMN statistics.script.script IS 'Unicode script of most letters; Common where there are none or only rare ones.';
COMMENT ON COLUMN statistics.script.chunking_id IS 'The chunking; more than one where recipes cut differently.';
COMMENT ON COLUMN statistics.script.n_chunks IS 'Chunks.';
COMMENT ON COLUMN statistics.script.n_characters IS 'Characters of their clean text.';

CREATE OR REPLACE VIEW statistics.chunk_signal AS
SELECT chunk_id, document_id, chunking_id, 'n_characters' AS signal, n_characters::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'n_bytes' AS signal, n_bytes::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'n_replaced' AS signal, n_replaced::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'encoding_confidence' AS signal, encoding_confidence::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'n_words' AS signal, n_words::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'n_non_symbol_words' AS signal, n_non_symbol_words::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'n_lines' AS signal, n_lines::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'mean_word_length' AS signal, mean_word_length::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'hash_word_ratio' AS signal, hash_word_ratio::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'ellipsis_word_ratio' AS signal, ellipsis_word_ratio::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'alphabetic_word_share' AS signal, alphabetic_word_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'stop_word_kinds' AS signal, stop_word_kinds::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'bullet_line_share' AS signal, bullet_line_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'ellipsis_line_share' AS signal, ellipsis_line_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'duplicate_line_share' AS signal, duplicate_line_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'duplicate_line_character_share' AS signal, duplicate_line_character_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'duplicate_paragraph_share' AS signal, duplicate_paragraph_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'duplicate_paragraph_character_share' AS signal, duplicate_paragraph_character_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'top_2gram_character_share' AS signal, top_2gram_character_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'top_3gram_character_share' AS signal, top_3gram_character_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'top_4gram_character_share' AS signal, top_4gram_character_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'duplicate_5gram_character_share' AS signal, duplicate_5gram_character_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'duplicate_6gram_character_share' AS signal, duplicate_6gram_character_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'duplicate_7gram_character_share' AS signal, duplicate_7gram_character_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'duplicate_8gram_character_share' AS signal, duplicate_8gram_character_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'duplicate_9gram_character_share' AS signal, duplicate_9gram_character_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'duplicate_10gram_character_share' AS signal, duplicate_10gram_character_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'terminal_punctuation_line_share' AS signal, terminal_punctuation_line_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'short_line_share' AS signal, short_line_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'fineweb_duplicate_line_character_share' AS signal, fineweb_duplicate_line_character_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'newline_word_ratio' AS signal, newline_word_ratio::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'c4_n_sentences' AS signal, c4_n_sentences::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'c4_kept_character_share' AS signal, c4_kept_character_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'c4_n_long_word_lines' AS signal, c4_n_long_word_lines::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'c4_n_unterminated_lines' AS signal, c4_n_unterminated_lines::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'c4_n_few_word_lines' AS signal, c4_n_few_word_lines::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'c4_n_javascript_lines' AS signal, c4_n_javascript_lines::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'c4_n_policy_lines' AS signal, c4_n_policy_lines::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'c4_has_lorem_ipsum' AS signal, c4_has_lorem_ipsum::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'c4_has_curly_bracket' AS signal, c4_has_curly_bracket::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'language_score' AS signal, language_score::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'script_share' AS signal, script_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'letter_share' AS signal, letter_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'digit_share' AS signal, digit_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'symbol_share' AS signal, symbol_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'punctuation_share' AS signal, punctuation_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'uppercase_share' AS signal, uppercase_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'whitespace_share' AS signal, whitespace_share::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'n_emails' AS signal, n_emails::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'n_phones' AS signal, n_phones::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'n_public_ips' AS signal, n_public_ips::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'n_cards' AS signal, n_cards::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'n_ibans' AS signal, n_ibans::DOUBLE AS value FROM corpus.chunk
UNION ALL
SELECT chunk_id, document_id, chunking_id, 'n_urls' AS signal, n_urls::DOUBLE AS value FROM corpus.chunk;
COMMENT ON VIEW statistics.chunk_signal IS 'One row a chunk and a signal, of files that are retired too.';
COMMENT ON COLUMN statistics.chunk_signal.chunk_id IS 'The chunk.';
COMMENT ON COLUMN statistics.chunk_signal.document_id IS 'Its document.';
COMMENT ON COLUMN statistics.chunk_signal.chunking_id IS 'The chunking that cut it.';
COMMENT ON COLUMN statistics.chunk_signal.signal IS 'Name of a column of corpus.chunk that measures the text.';
COMMENT ON COLUMN statistics.chunk_signal.value IS 'Its value; 0 or 1 where it is a yes or no.';

CREATE OR REPLACE VIEW statistics.signal AS
SELECT
    chunk_signal.signal,
    source_file.corpus,
    chunk_signal.chunking_id,
    count(chunk_signal.value) AS n_chunks,
    avg(chunk_signal.value) AS mean,
    min(chunk_signal.value) AS least,
    quantile_disc(chunk_signal.value, 0.01) AS percentile_1,
    quantile_disc(chunk_signal.value, 0.05) AS percentile_5,
    quantile_disc(chunk_signal.value, 0.25) AS percentile_25,
    quantile_disc(chunk_signal.value, 0.5) AS median,
    quantile_disc(chunk_signal.value, 0.75) AS percentile_75,
    quantile_disc(chunk_signal.value, 0.95) AS percentile_95,
    quantile_disc(chunk_signal.value, 0.99) AS percentile_99,
    max(chunk_signal.value) AS greatest
FROM statistics.chunk_signal
JOIN corpus.document ON document.document_id = chunk_signal.document_id
JOIN corpus.stream ON stream.stream_id = document.stream_id
JOIN corpus.source_file ON source_file.source_id = stream.source_id
WHERE source_file.retired_at IS NULL
GROUP BY chunk_signal.signal, source_file.corpus, chunk_signal.chunking_id;
COMMENT ON VIEW statistics.signal IS 'One row a signal, a corpus and a chunking: how its values are spread over the chunks that count now. Name the signals that you want: each is a scan.';
COMMENT ON COLUMN statistics.signal.signal IS 'Name of a column of corpus.chunk that measures the text.';
COMMENT ON COLUMN statistics.signal.corpus IS 'Name of the corpus.';
COMMENT ON COLUMN statistics.signal.chunking_id IS 'The chunking; more than one where recipes cut differently.';
COMMENT ON COLUMN statistics.signal.n_chunks IS 'Chunks that were measured.';
COMMENT ON COLUMN statistics.signal.mean IS 'Mean.';
COMMENT ON COLUMN statistics.signal.least IS 'Smallest value.';
COMMENT ON COLUMN statistics.signal.percentile_1 IS 'Smallest value that 1 % of the chunks do not exceed.';
COMMENT ON COLUMN statistics.signal.percentile_5 IS 'Smallest value that 5 % of the chunks do not exceed.';
COMMENT ON COLUMN statistics.signal.percentile_25 IS 'Smallest value that 25 % of the chunks do not exceed.';
COMMENT ON COLUMN statistics.signal.median IS 'Smallest value that half of the chunks do not exceed.';
COMMENT ON COLUMN statistics.signal.percentile_75 IS 'Smallest value that 75 % of the chunks do not exceed.';
COMMENT ON COLUMN statistics.signal.percentile_95 IS 'Smallest value that 95 % of the chunks do not exceed.';
COMMENT ON COLUMN statistics.signal.percentile_99 IS 'Smallest value that 99 % of the chunks do not exceed.';
COMMENT ON COLUMN statistics.signal.greatest IS 'Largest value.';

-- Shares, probabilities and ratios by twentieths, counts and lengths by powers of two.
CREATE OR REPLACE VIEW statistics.signal_histogram AS
WITH binned AS (
    SELECT
        chunk_signal.signal,
        source_file.corpus,
        chunk_signal.chunking_id,
        CASE
            WHEN regexp_matches(chunk_signal.signal, '_(share|score|confidence)$') THEN least(floor(chunk_signal.value * 20), 19) / 20
            WHEN regexp_matches(chunk_signal.signal, '_ratio$') THEN floor(chunk_signal.value * 20) / 20
            WHEN chunk_signal.value < 1 THEN 0
            ELSE 2 ** floor(log2(chunk_signal.value))
        END AS bin_start
    FROM statistics.chunk_signal
    JOIN corpus.document ON document.document_id = chunk_signal.document_id
    JOIN corpus.stream ON stream.stream_id = document.stream_id
    JOIN corpus.source_file ON source_file.source_id = stream.source_id
    WHERE source_file.retired_at IS NULL AND chunk_signal.value IS NOT NULL
)

SELECT
    signal,
    corpus,
    chunking_id,
    bin_start,
    CASE
        WHEN regexp_matches(signal, '_(share|score|confidence|ratio)$') THEN round(bin_start + 0.05, 2)
        WHEN bin_start = 0 THEN 1
        ELSE 2 * bin_start
    END AS bin_end,
    count(*) AS n_chunks
FROM binned
GROUP BY signal, corpus, chunking_id, bin_start;
COMMENT ON VIEW statistics.signal_histogram IS 'One row a signal, a corpus, a chunking and a bin that holds a value of a chunk that counts now. Name the signals that you want: each is a scan.';
COMMENT ON COLUMN statistics.signal_histogram.signal IS 'Name of a column of corpus.chunk that measures the text.';
COMMENT ON COLUMN statistics.signal_histogram.corpus IS 'Name of the corpus.';
COMMENT ON COLUMN statistics.signal_histogram.chunking_id IS 'The chunking; more than one where recipes cut differently.';
COMMENT ON COLUMN statistics.signal_histogram.bin_start IS 'Smallest value of the bin: a twentieth for shares, probabilities and ratios, a power of two for counts and lengths.';
COMMENT ON COLUMN statistics.signal_histogram.bin_end IS 'First value past the bin; 1 belongs to the last bin of a share.';
COMMENT ON COLUMN statistics.signal_histogram.n_chunks IS 'Chunks.';
