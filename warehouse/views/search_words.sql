-- What a word is, for the word index and for questions to it.
-- No lambda and nothing else that DuckDB 1.2 lacks, so that every client of a published copy has these macros.

-- One character of a script that does not set words apart, or of Hangul, whose particles stick to words.
CREATE OR REPLACE MACRO corpus.search_unspaced() AS
    '[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tai_Le}\p{New_Tai_Lue}'
    || '\p{Tai_Tham}\p{Tai_Viet}\p{Balinese}\p{Javanese}ーｰ]';
COMMENT ON MACRO corpus.search_unspaced IS 'Regular expression: a character of a script that does not set words apart, or of Hangul.';

-- Runs of letters, marks, digits and underscores in lower case, other scripts left out.
CREATE OR REPLACE MACRO corpus.search_spaced_words(content) AS
    regexp_extract_all(
        regexp_replace(lower(content), corpus.search_unspaced() || '+', ' ', 'g'), '[\p{L}\p{M}\p{N}_]+'
    );
COMMENT ON MACRO corpus.search_spaced_words IS 'Words of the text in scripts that set them apart, in lower case.';

-- The pairs at even places of each run of such characters, then those at odd places.
CREATE OR REPLACE MACRO corpus.search_pairs(content) AS
    list_concat(
        regexp_extract_all(content, corpus.search_unspaced() || '{2}'),
        regexp_extract_all(
            regexp_replace(
                content, corpus.search_unspaced() || '(' || corpus.search_unspaced() || '*)', ' \1', 'g'
            ),
            corpus.search_unspaced() || '{2}'
        )
    );
COMMENT ON MACRO corpus.search_pairs IS 'Every two neighbouring characters of the text in scripts that do not set words apart.';

-- The first case is that of most texts, and much faster.
CREATE OR REPLACE MACRO corpus.search_words(content) AS
    CASE
        WHEN regexp_matches(content, corpus.search_unspaced())
            THEN list_concat(
                corpus.search_spaced_words(nfc_normalize(content)),
                list_concat(
                    corpus.search_pairs(nfc_normalize(content)),
                    regexp_extract_all(nfc_normalize(content), corpus.search_unspaced())
                )
            )
        ELSE regexp_extract_all(lower(nfc_normalize(content)), '[\p{L}\p{M}\p{N}_]+')
    END;
COMMENT ON MACRO corpus.search_words IS 'What the word index holds of a text: words in lower case; of scripts that do not set words apart each character and each pair.';

-- A character alone is looked for as such; where it has a neighbour the pairs say more.
CREATE OR REPLACE MACRO corpus.search_query_words(question) AS
    list_sort(list_distinct(list_concat(
        corpus.search_spaced_words(nfc_normalize(question)),
        list_concat(
            corpus.search_pairs(nfc_normalize(question)),
            regexp_extract_all(
                regexp_replace(nfc_normalize(question), corpus.search_unspaced() || '{2,}', ' ', 'g'),
                corpus.search_unspaced()
            )
        )
    )));
COMMENT ON MACRO corpus.search_query_words IS 'What a question looks for, each once and sorted: its words, the pairs of scripts that do not set words apart, and their characters that stand alone.';
