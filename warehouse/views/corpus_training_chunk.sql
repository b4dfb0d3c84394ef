-- A recipe applied to the stored columns: nothing is recomputed when a rule changes.
-- Order of reasons: what may not be used, what is no good text, what stands too near to a held-out text, what stands twice.

CREATE OR REPLACE VIEW corpus.training_chunk AS
WITH
rule AS (
    SELECT
        recipe,
        chunking_id,
        reference_id,
        from_json(definition -> '$.corpora.include', '["VARCHAR"]') AS included_corpora,
        definition -> '$.corpora.weights' AS corpus_weights,
        from_json(definition -> '$.licences.allowed', '["VARCHAR"]') AS allowed_licences,
        CAST(definition ->> '$.quality.min_words' AS BIGINT) AS min_words,
        CAST(definition ->> '$.quality.max_words' AS BIGINT) AS max_words,
        CAST(definition ->> '$.quality.min_non_symbol_words' AS BIGINT) AS min_non_symbol_words,
        CAST(definition ->> '$.quality.max_non_symbol_words' AS BIGINT) AS max_non_symbol_words,
        CAST(definition ->> '$.quality.min_mean_word_length' AS REAL) AS min_mean_word_length,
        CAST(definition ->> '$.quality.max_mean_word_length' AS REAL) AS max_mean_word_length,
        CAST(definition ->> '$.quality.max_hash_word_ratio' AS REAL) AS max_hash_word_ratio,
        CAST(definition ->> '$.quality.max_ellipsis_word_ratio' AS REAL) AS max_ellipsis_word_ratio,
        CAST(definition ->> '$.quality.min_alphabetic_word_share' AS REAL) AS min_alphabetic_word_share,
        CAST(definition ->> '$.quality.min_stop_word_kinds' AS BIGINT) AS min_stop_word_kinds,
        CAST(definition ->> '$.quality.max_bullet_line_share' AS REAL) AS max_bullet_line_share,
        CAST(definition ->> '$.quality.max_ellipsis_line_share' AS REAL) AS max_ellipsis_line_share,
        CAST(definition ->> '$.quality.max_duplicate_line_share' AS REAL) AS max_duplicate_line_share,
        CAST(definition ->> '$.quality.max_duplicate_line_character_share' AS REAL) AS max_duplicate_line_character_share,
        CAST(definition ->> '$.quality.max_duplicate_paragraph_share' AS REAL) AS max_duplicate_paragraph_share,
        CAST(definition ->> '$.quality.max_duplicate_paragraph_character_share' AS REAL) AS max_duplicate_paragraph_character_share,
        CAST(definition ->> '$.quality.max_top_2gram_character_share' AS REAL) AS max_top_2gram_character_share,
        CAST(definition ->> '$.quality.max_top_3gram_character_share' AS REAL) AS max_top_3gram_character_share,
        CAST(definition ->> '$.quality.max_top_4gram_character_share' AS REAL) AS max_top_4gram_character_share,
        CAST(definition ->> '$.quality.max_duplicate_5gram_character_share' AS REAL) AS max_duplicate_5gram_character_share,
        CAST(definition ->> '$.quality.max_duplicate_6gram_character_share' AS REAL) AS max_duplicate_6gram_character_share,
        CAST(definition ->> '$.quality.max_duplicate_7gram_character_share' AS REAL) AS max_duplicate_7gram_character_share,
        CAST(definition ->> '$.quality.max_duplicate_8gram_character_share' AS REAL) AS max_duplicate_8gram_character_share,
        CAST(definition ->> '$.quality.max_duplicate_9gram_character_share' AS REAL) AS max_duplicate_9gram_character_share,
        CAST(definition ->> '$.quality.max_duplicate_10gram_character_share' AS REAL) AS max_duplicate_10gram_character_share,
        CAST(definition ->> '$.quality.min_terminal_punctuation_line_share' AS REAL) AS min_terminal_punctuation_line_share,
        CAST(definition ->> '$.quality.max_short_line_share' AS REAL) AS max_short_line_share,
        CAST(definition ->> '$.quality.max_fineweb_duplicate_line_character_share' AS REAL) AS max_fineweb_duplicate_line_character_share,
        CAST(definition ->> '$.quality.max_newline_word_ratio' AS REAL) AS max_newline_word_ratio,
        CAST(definition ->> '$.quality.min_lines' AS BIGINT) AS min_lines,
        CAST(definition ->> '$.quality.min_c4_sentences' AS BIGINT) AS min_c4_sentences,
        CAST(definition ->> '$.quality.min_c4_kept_character_share' AS REAL) AS min_c4_kept_character_share,
        CAST(definition ->> '$.quality.max_c4_long_word_lines' AS BIGINT) AS max_c4_long_word_lines,
        CAST(definition ->> '$.quality.max_c4_unterminated_lines' AS BIGINT) AS max_c4_unterminated_lines,
        CAST(definition ->> '$.quality.max_c4_few_word_lines' AS BIGINT) AS max_c4_few_word_lines,
        CAST(definition ->> '$.quality.max_c4_javascript_lines' AS BIGINT) AS max_c4_javascript_lines,
        CAST(definition ->> '$.quality.max_c4_policy_lines' AS BIGINT) AS max_c4_policy_lines,
        CAST(definition ->> '$.quality.drop_lorem_ipsum' AS BOOLEAN) AS drop_lorem_ipsum,
        CAST(definition ->> '$.quality.drop_curly_bracket' AS BOOLEAN) AS drop_curly_bracket,
        CAST(definition ->> '$.quality.min_letter_share' AS REAL) AS min_letter_share,
        CAST(definition ->> '$.quality.max_digit_share' AS REAL) AS max_digit_share,
        CAST(definition ->> '$.quality.max_symbol_share' AS REAL) AS max_symbol_share,
        CAST(definition ->> '$.quality.max_punctuation_share' AS REAL) AS max_punctuation_share,
        CAST(definition ->> '$.quality.max_whitespace_share' AS REAL) AS max_whitespace_share,
        CAST(definition ->> '$.quality.max_uppercase_share' AS REAL) AS max_uppercase_share,
        CAST(definition ->> '$.quality.min_script_share' AS REAL) AS min_script_share,
        CAST(definition ->> '$.quality.max_emails' AS BIGINT) AS max_emails,
        CAST(definition ->> '$.quality.max_phones' AS BIGINT) AS max_phones,
        CAST(definition ->> '$.quality.max_public_ips' AS BIGINT) AS max_public_ips,
        CAST(definition ->> '$.quality.max_cards' AS BIGINT) AS max_cards,
        CAST(definition ->> '$.quality.max_ibans' AS BIGINT) AS max_ibans,
        CAST(definition ->> '$.quality.max_urls' AS BIGINT) AS max_urls,
        CAST(definition ->> '$.quality.max_replaced_share' AS DOUBLE) AS max_replaced_share,
        from_json(definition -> '$.language.allowed', '["VARCHAR"]') AS allowed_languages,
        CAST(definition ->> '$.language.min_score' AS DOUBLE) AS min_language_score,
        CAST(definition ->> '$.duplicates.threshold' AS REAL) AS duplicate_threshold,
        CAST(definition ->> '$.perplexity.head' AS DOUBLE) AS head,
        CAST(definition ->> '$.perplexity.middle' AS DOUBLE) AS middle,
        CAST(definition ->> '$.perplexity.max_percentile' AS DOUBLE) AS max_percentile
    FROM corpus.recipe
),

candidate AS (
    SELECT
        rule.*,
        chunk.* EXCLUDE (chunking_id, language, language_score),
        -- Decided here, so that no window function carries all the signals and bounds along.
        CASE
            WHEN chunk.n_replaced > max_replaced_share * chunk.n_characters THEN 'replaced_characters'
            WHEN n_words < min_words THEN 'too_few_words'
            WHEN n_words > max_words THEN 'too_many_words'
            WHEN n_non_symbol_words < min_non_symbol_words THEN 'too_few_words'
            WHEN n_non_symbol_words > max_non_symbol_words THEN 'too_many_words'
            WHEN mean_word_length < min_mean_word_length THEN 'mean_word_length'
            WHEN mean_word_length > max_mean_word_length THEN 'mean_word_length'
            WHEN hash_word_ratio > max_hash_word_ratio THEN 'hash_word_ratio'
            WHEN ellipsis_word_ratio > max_ellipsis_word_ratio THEN 'ellipsis_word_ratio'
            WHEN alphabetic_word_share < min_alphabetic_word_share THEN 'alphabetic_word_share'
            WHEN stop_word_kinds < min_stop_word_kinds THEN 'stop_word_kinds'
            WHEN bullet_line_share > max_bullet_line_share THEN 'bullet_line_share'
            WHEN ellipsis_line_share > max_ellipsis_line_share THEN 'ellipsis_line_share'
            WHEN duplicate_line_share > max_duplicate_line_share THEN 'duplicate_line_share'
            WHEN duplicate_line_character_share > max_duplicate_line_character_share THEN 'duplicate_line_character_share'
            WHEN duplicate_paragraph_share > max_duplicate_paragraph_share THEN 'duplicate_paragraph_share'
            WHEN duplicate_paragraph_character_share > max_duplicate_paragraph_character_share THEN 'duplicate_paragraph_character_share'
            WHEN top_2gram_character_share > max_top_2gram_character_share THEN 'top_2gram_character_share'
            WHEN top_3gram_character_share > max_top_3gram_character_share THEN 'top_3gram_character_share'
            WHEN top_4gram_character_share > max_top_4gram_character_share THEN 'top_4gram_character_share'
            WHEN duplicate_5gram_character_share > max_duplicate_5gram_character_share THEN 'duplicate_5gram_character_share'
            WHEN duplicate_6gram_character_share > max_duplicate_6gram_character_share THEN 'duplicate_6gram_character_share'
            WHEN duplicate_7gram_character_share > max_duplicate_7gram_character_share THEN 'duplicate_7gram_character_share'
            WHEN duplicate_8gram_character_share > max_duplicate_8gram_character_share THEN 'duplicate_8gram_character_share'
            WHEN duplicate_9gram_character_share > max_duplicate_9gram_character_share THEN 'duplicate_9gram_character_share'
            WHEN duplicate_10gram_character_share > max_duplicate_10gram_character_share THEN 'duplicate_10gram_character_share'
            WHEN terminal_punctuation_line_share < min_terminal_punctuation_line_share THEN 'terminal_punctuation_line_share'
            WHEN short_line_share > max_short_line_share THEN 'short_line_share'
            WHEN fineweb_duplicate_line_character_share > max_fineweb_duplicate_line_character_share THEN 'fineweb_duplicate_line_character_share'
            WHEN newline_word_ratio > max_newline_word_ratio THEN 'newline_word_ratio'
            WHEN n_lines < min_lines THEN 'n_lines'
            WHEN c4_n_sentences < min_c4_sentences THEN 'c4_n_sentences'
            WHEN c4_kept_character_share < min_c4_kept_character_share THEN 'c4_kept_character_share'
            WHEN c4_n_long_word_lines > max_c4_long_word_lines THEN 'c4_n_long_word_lines'
            WHEN c4_n_unterminated_lines > max_c4_unterminated_lines THEN 'c4_n_unterminated_lines'
            WHEN c4_n_few_word_lines > max_c4_few_word_lines THEN 'c4_n_few_word_lines'
            WHEN c4_n_javascript_lines > max_c4_javascript_lines THEN 'c4_n_javascript_lines'
            WHEN c4_n_policy_lines > max_c4_policy_lines THEN 'c4_n_policy_lines'
            WHEN c4_has_lorem_ipsum AND drop_lorem_ipsum THEN 'c4_has_lorem_ipsum'
            WHEN c4_has_curly_bracket AND drop_curly_bracket THEN 'c4_has_curly_bracket'
            WHEN letter_share < min_letter_share THEN 'letter_share'
            WHEN digit_share > max_digit_share THEN 'digit_share'
            WHEN symbol_share > max_symbol_share THEN 'symbol_share'
            WHEN punctuation_share > max_punctuation_share THEN 'punctuation_share'
            WHEN whitespace_share > max_whitespace_share THEN 'whitespace_share'
            WHEN uppercase_share > max_uppercase_share THEN 'uppercase_share'
            WHEN script_share < min_script_share THEN 'script_share'
            WHEN n_emails > max_emails THEN 'n_emails'
            WHEN n_phones > max_phones THEN 'n_phones'
            WHEN n_public_ips > max_public_ips THEN 'n_public_ips'
            WHEN n_cards > max_cards THEN 'n_cards'
            WHEN n_ibans > max_ibans THEN 'n_ibans'
            WHEN n_urls > max_urls THEN 'n_urls'
        END AS quality_reason,
        source_file.corpus,
        source_file.licence,
        source_file.retired_at,
        document.language,
        document.language_score,
        corpus.weight * coalesce(CAST(rule.corpus_weights ->> source_file.corpus AS DOUBLE), 1.0) AS weight,
        perplexity.bits_per_byte,
        duplicate_cluster.cluster_id,
        forgotten.sha256 IS NOT NULL AS is_forgotten
    FROM rule
    INNER JOIN corpus.chunk AS chunk ON rule.chunking_id = chunk.chunking_id
    INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
    INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
    INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
    INNER JOIN corpus.corpus AS corpus ON source_file.corpus = corpus.corpus
    LEFT JOIN corpus.perplexity AS perplexity
        ON chunk.chunk_id = perplexity.chunk_id AND rule.reference_id = perplexity.reference_id
    LEFT JOIN corpus.duplicate_cluster AS duplicate_cluster
        ON chunk.chunk_id = duplicate_cluster.chunk_id AND rule.duplicate_threshold = duplicate_cluster.threshold
    LEFT JOIN (SELECT DISTINCT sha256 FROM corpus.forgotten WHERE scope = 'file') AS forgotten
        ON source_file.sha256 = forgotten.sha256
),

ranked AS (
    SELECT
        *,
        CASE
            WHEN bits_per_byte IS NULL OR retired_at IS NOT NULL OR is_forgotten THEN NULL
            ELSE
                (row_number() OVER (
                    PARTITION BY recipe, corpus, bits_per_byte IS NULL OR retired_at IS NOT NULL OR is_forgotten
                    ORDER BY bits_per_byte, chunk_id
                ) - 0.5)
                / count(*) OVER (
                    PARTITION BY recipe, corpus, bits_per_byte IS NULL OR retired_at IS NOT NULL OR is_forgotten
                )
        END AS percentile
    FROM candidate
),

judged AS (
    SELECT
        *,
        CASE
            WHEN percentile IS NULL THEN 'unscored'
            WHEN percentile < head THEN 'head'
            WHEN percentile < middle THEN 'middle'
            ELSE 'tail'
        END AS bucket,
        CASE
            WHEN is_forgotten THEN 'forgotten'
            WHEN retired_at IS NOT NULL THEN 'source_retired'
            WHEN len(allowed_licences) > 0 AND NOT list_contains(allowed_licences, licence) THEN 'licence_not_allowed'
            WHEN len(included_corpora) > 0 AND NOT list_contains(included_corpora, corpus) THEN 'corpus_not_included'
            WHEN weight = 0 THEN 'corpus_not_included'
            WHEN quality_reason IS NOT NULL THEN quality_reason
            WHEN len(allowed_languages) > 0
                AND NOT (list_contains(allowed_languages, language) AND language_score >= min_language_score)
                THEN 'language'
            WHEN percentile > max_percentile THEN 'perplexity'
        END AS own_reason
    FROM ranked
),

separated AS (
    SELECT
        *,
        coalesce(
            own_reason,
            CASE
                WHEN split = 'train' AND cluster_id IS NOT NULL
                    AND bool_or(own_reason IS NULL AND split <> 'train') OVER (PARTITION BY recipe, cluster_id)
                    THEN 'near_held_out'
            END
        ) AS earlier_reason
    FROM judged
),

placed AS (
    SELECT
        *,
        CASE
            WHEN cluster_id IS NULL THEN chunk_id
            ELSE first_value(chunk_id) OVER (
                PARTITION BY recipe, cluster_id
                ORDER BY earlier_reason IS NOT NULL, weight DESC, chunk_id <> cluster_id, n_characters DESC, chunk_id
            )
        END AS keeper_id
    FROM separated
),

-- Two clusters are apart at their centres only. Where a centre fails a rule, the keepers of two clusters may be
-- near-duplicates; then the one of higher rank stays, and a held-out text before one to train on.
contender AS (
    SELECT
        recipe,
        chunk_id,
        text_sha256,
        split,
        duplicate_threshold,
        row_number() OVER (
            PARTITION BY recipe
            ORDER BY split = 'train', weight DESC, chunk_id <> cluster_id, n_characters DESC, chunk_id
        ) AS rank
    FROM placed
    WHERE earlier_reason IS NULL AND keeper_id = chunk_id
),

likeness AS (
    SELECT
        chunk_a.text_sha256,
        chunk_b.text_sha256 AS other_sha256,
        pair.jaccard
    FROM corpus.duplicate_pair AS pair
    INNER JOIN corpus.chunk AS chunk_a ON pair.chunk_a = chunk_a.chunk_id
    INNER JOIN corpus.chunk AS chunk_b ON pair.chunk_b = chunk_b.chunk_id
),

both_ways AS (
    SELECT text_sha256, other_sha256, jaccard FROM likeness
    UNION ALL
    SELECT other_sha256, text_sha256, jaccard FROM likeness
),

beaten AS (
    SELECT
        contender.recipe,
        contender.chunk_id,
        min_by(winner.chunk_id, winner.rank) AS winner_id,
        bool_or(contender.split = 'train' AND winner.split <> 'train') AS near_held_out
    FROM contender
    INNER JOIN both_ways
        ON contender.text_sha256 = both_ways.text_sha256 AND both_ways.jaccard >= contender.duplicate_threshold
    INNER JOIN contender AS winner
        ON
            contender.recipe = winner.recipe
            AND both_ways.other_sha256 = winner.text_sha256
            AND winner.rank < contender.rank
    GROUP BY contender.recipe, contender.chunk_id
)

SELECT
    placed.recipe,
    placed.chunk_id,
    placed.earlier_reason IS NULL AND placed.keeper_id = placed.chunk_id AND beaten.chunk_id IS NULL AS kept,
    CASE
        WHEN placed.earlier_reason IS NOT NULL THEN placed.earlier_reason
        WHEN beaten.near_held_out THEN 'near_held_out'
        WHEN placed.keeper_id <> placed.chunk_id OR beaten.chunk_id IS NOT NULL THEN 'duplicate'
    END AS reason,
    placed.weight,
    coalesce(beaten.winner_id, placed.keeper_id) AS keeper_id,
    placed.bucket,
    placed.corpus,
    placed.split
FROM placed
LEFT JOIN beaten ON placed.recipe = beaten.recipe AND placed.chunk_id = beaten.chunk_id;

COMMENT ON VIEW corpus.training_chunk IS 'One row a recipe and chunk: whether the recipe keeps it, and why not.';
COMMENT ON COLUMN corpus.training_chunk.recipe IS 'The recipe.';
COMMENT ON COLUMN corpus.training_chunk.chunk_id IS 'The chunk.';
COMMENT ON COLUMN corpus.training_chunk.kept IS 'Whether it is trained or measured on.';
COMMENT ON COLUMN corpus.training_chunk.reason IS 'The first rule that drops it; NULL where it is kept.';
COMMENT ON COLUMN corpus.training_chunk.weight IS 'How often it counts in training: the corpus''s weight times the recipe''s.';
COMMENT ON COLUMN corpus.training_chunk.keeper_id IS 'The chunk that stands for its cluster: of those that pass every other rule the one of the heaviest corpus, then the centre, then the longest, then the smallest id.';
COMMENT ON COLUMN corpus.training_chunk.bucket IS 'head, middle or tail of its corpus by bits per byte; unscored where it has no score.';
COMMENT ON COLUMN corpus.training_chunk.corpus IS 'Corpus of its source file.';
COMMENT ON COLUMN corpus.training_chunk.split IS 'train, validation, select, confirm or report.';
