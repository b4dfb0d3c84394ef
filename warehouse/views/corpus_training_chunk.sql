-- A recipe applied to the stored columns: nothing is recomputed when a rule changes.
-- Order of reasons: what may not be used, what is no good text, what stands too near to a held-out text, what stands twice.
-- Every chunk is judged by itself in one pass; what depends on other chunks is worked out for those alone that have a likeness.

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
        CAST(definition ->> '$.quality.min_characters' AS BIGINT) AS min_characters,
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
        CAST(definition ->> '$.language.min_score' AS REAL) AS min_language_score,
        coalesce(definition ->> '$.duplicates.level', 'near') AS duplicate_level,
        CAST(definition ->> '$.duplicates.threshold' AS REAL) AS duplicate_threshold,
        -- Places in the list of what chunks are compared by, member.standing.
        flatten([
            CASE criterion
                WHEN 'corpus' THEN [1]
                WHEN 'quality' THEN [2, 3]
                WHEN 'perplexity' THEN [4]
                WHEN 'length' THEN [5]
                WHEN 'centre' THEN [6]
                WHEN 'age' THEN [7]
            END
            FOR criterion IN from_json(definition -> '$.duplicates.keeper', '["VARCHAR"]')
        ]) AS keeper_criteria,
        from_json(definition -> '$.passages.remove', '["VARCHAR"]') AS removed_levels,
        CAST(definition ->> '$.passages.min_documents' AS BIGINT) AS min_documents,
        CAST(definition ->> '$.passages.keep_first' AS BOOLEAN) AS keep_first,
        CAST(definition ->> '$.passages.max_share' AS DOUBLE) AS max_left_out_share,
        list_sort([
            {size: CAST(size AS BIGINT), factor: CAST(definition -> '$.rehydration.weights' ->> size AS DOUBLE)}
            FOR size IN json_keys(definition -> '$.rehydration.weights')
        ]) AS rehydration_steps,
        definition ->> '$.perplexity.within' AS percentile_within,
        CAST(definition ->> '$.perplexity.head' AS REAL) AS head,
        CAST(definition ->> '$.perplexity.middle' AS REAL) AS middle,
        CAST(definition ->> '$.perplexity.min_percentile' AS REAL) AS min_percentile,
        CAST(definition ->> '$.perplexity.max_percentile' AS REAL) AS max_percentile,
        definition -> '$.perplexity.max_percentile_by_corpus' AS max_percentile_by_corpus,
        definition -> '$.perplexity.max_percentile_by_language' AS max_percentile_by_language,
        from_json(definition -> '$.decontamination.evaluation_sets', '["VARCHAR"]') AS evaluation_sets,
        from_json(definition -> '$.decontamination.rules', '["VARCHAR"]') AS contamination_rules,
        CAST(definition ->> '$.decontamination.min_score' AS REAL) AS min_contamination_score,
        CAST(definition ->> '$.decontamination.held_out_share' AS REAL) AS held_out_share
    FROM corpus.recipe
),

place AS (
    -- What a chunk's file and document decide.
    SELECT
        rule.recipe,
        document.document_id,
        source_file.corpus,
        source_file.first_seen_at,
        -- A name of its own: within this list "weight" would be the corpus's alone.
        corpus.weight * coalesce(CAST(rule.corpus_weights ->> source_file.corpus AS DOUBLE), 1.0) AS chosen_weight,
        chosen_weight * coalesce([step.factor FOR step IN rule.rehydration_steps IF step.size <= 1][-1], 1.0) AS single_weight,
        CASE
            WHEN forgotten.sha256 IS NOT NULL THEN 'forgotten'
            WHEN source_file.retired_at IS NOT NULL THEN 'source_retired'
            WHEN len(rule.allowed_licences) > 0 AND NOT list_contains(rule.allowed_licences, source_file.licence)
                THEN 'licence_not_allowed'
            WHEN len(rule.included_corpora) > 0 AND NOT list_contains(rule.included_corpora, source_file.corpus)
                THEN 'corpus_not_included'
            WHEN chosen_weight = 0 THEN 'corpus_not_included'
        END AS reason,
        (len(rule.allowed_languages) > 0 AND NOT list_contains(rule.allowed_languages, document.language))
        OR document.language_score < rule.min_language_score AS is_other_language,
        coalesce(
            CAST(rule.max_percentile_by_corpus ->> source_file.corpus AS REAL),
            CAST(rule.max_percentile_by_language ->> document.language AS REAL),
            rule.max_percentile
        ) AS max_percentile
    FROM rule
    CROSS JOIN corpus.document AS document
    INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
    INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
    INNER JOIN corpus.corpus AS corpus ON source_file.corpus = corpus.corpus
    LEFT JOIN (SELECT DISTINCT sha256 FROM corpus.forgotten WHERE scope = 'file') AS forgotten
        ON source_file.sha256 = forgotten.sha256
),

left_out AS (
    -- The ranges that a recipe leaves out of a chunk do not overlap: a line goes or stays with a repeated paragraph around it.
    SELECT
        rule.recipe,
        repeated.chunk_id,
        sum(repeated.char_end - repeated.char_start) AS n_characters
    FROM rule
    INNER JOIN corpus.repeated_range AS repeated
        ON
            list_contains(rule.removed_levels, repeated.level)
            AND repeated.n_documents >= rule.min_documents
            AND NOT (rule.keep_first AND repeated.is_first)
            AND NOT (
                list_contains(rule.removed_levels, 'paragraph')
                AND repeated.paragraph_documents >= rule.min_documents
            )
    GROUP BY rule.recipe, repeated.chunk_id
),

contaminated AS (
    SELECT
        rule.recipe,
        found.chunk_id,
        bool_or(found.rule = 'ngram_overlap') AS has_overlap,
        bool_or(found.rule = 'near_duplicate') AS has_near_duplicate
    FROM rule
    INNER JOIN corpus.contamination AS found
        ON
            found.evaluation_set <> 'held_out'
            AND found.counts
            AND list_contains(rule.contamination_rules, found.rule)
            AND (len(rule.evaluation_sets) = 0 OR list_contains(rule.evaluation_sets, found.evaluation_set))
            AND (found.rule = 'ngram_overlap' OR found.score >= rule.min_contamination_score)
    GROUP BY rule.recipe, found.chunk_id
),

sifted AS (
    -- The signals end here, so that no join carries them along.
    SELECT
        rule.recipe,
        rule.reference_id,
        rule.percentile_within,
        rule.head,
        rule.middle,
        rule.min_percentile,
        rule.max_left_out_share,
        chunk.chunk_id,
        chunk.document_id,
        chunk.split,
        chunk.n_characters,
        chunk.n_bytes,
        CASE
            WHEN chunk.n_replaced > rule.max_replaced_share * chunk.n_characters THEN 'replaced_characters'
            WHEN chunk.n_words < rule.min_words THEN 'too_few_words'
            WHEN chunk.n_words > rule.max_words THEN 'too_many_words'
            WHEN chunk.n_characters < rule.min_characters THEN 'too_few_characters'
            WHEN chunk.n_non_symbol_words < rule.min_non_symbol_words THEN 'too_few_words'
            WHEN chunk.n_non_symbol_words > rule.max_non_symbol_words THEN 'too_many_words'
            WHEN chunk.mean_word_length < rule.min_mean_word_length THEN 'mean_word_length'
            WHEN chunk.mean_word_length > rule.max_mean_word_length THEN 'mean_word_length'
            WHEN chunk.hash_word_ratio > rule.max_hash_word_ratio THEN 'hash_word_ratio'
            WHEN chunk.ellipsis_word_ratio > rule.max_ellipsis_word_ratio THEN 'ellipsis_word_ratio'
            WHEN chunk.alphabetic_word_share < rule.min_alphabetic_word_share THEN 'alphabetic_word_share'
            WHEN chunk.stop_word_kinds < rule.min_stop_word_kinds THEN 'stop_word_kinds'
            WHEN chunk.bullet_line_share > rule.max_bullet_line_share THEN 'bullet_line_share'
            WHEN chunk.ellipsis_line_share > rule.max_ellipsis_line_share THEN 'ellipsis_line_share'
            WHEN chunk.duplicate_line_share > rule.max_duplicate_line_share THEN 'duplicate_line_share'
            WHEN chunk.duplicate_line_character_share > rule.max_duplicate_line_character_share THEN 'duplicate_line_character_share'
            WHEN chunk.duplicate_paragraph_share > rule.max_duplicate_paragraph_share THEN 'duplicate_paragraph_share'
            WHEN chunk.duplicate_paragraph_character_share > rule.max_duplicate_paragraph_character_share THEN 'duplicate_paragraph_character_share'
            WHEN chunk.top_2gram_character_share > rule.max_top_2gram_character_share THEN 'top_2gram_character_share'
            WHEN chunk.top_3gram_character_share > rule.max_top_3gram_character_share THEN 'top_3gram_character_share'
            WHEN chunk.top_4gram_character_share > rule.max_top_4gram_character_share THEN 'top_4gram_character_share'
            WHEN chunk.duplicate_5gram_character_share > rule.max_duplicate_5gram_character_share THEN 'duplicate_5gram_character_share'
            WHEN chunk.duplicate_6gram_character_share > rule.max_duplicate_6gram_character_share THEN 'duplicate_6gram_character_share'
            WHEN chunk.duplicate_7gram_character_share > rule.max_duplicate_7gram_character_share THEN 'duplicate_7gram_character_share'
            WHEN chunk.duplicate_8gram_character_share > rule.max_duplicate_8gram_character_share THEN 'duplicate_8gram_character_share'
            WHEN chunk.duplicate_9gram_character_share > rule.max_duplicate_9gram_character_share THEN 'duplicate_9gram_character_share'
            WHEN chunk.duplicate_10gram_character_share > rule.max_duplicate_10gram_character_share THEN 'duplicate_10gram_character_share'
            WHEN chunk.terminal_punctuation_line_share < rule.min_terminal_punctuation_line_share THEN 'terminal_punctuation_line_share'
            WHEN chunk.short_line_share > rule.max_short_line_share THEN 'short_line_share'
            WHEN chunk.fineweb_duplicate_line_character_share > rule.max_fineweb_duplicate_line_character_share THEN 'fineweb_duplicate_line_character_share'
            WHEN chunk.newline_word_ratio > rule.max_newline_word_ratio THEN 'newline_word_ratio'
            WHEN chunk.n_lines < rule.min_lines THEN 'n_lines'
            WHEN chunk.c4_n_sentences < rule.min_c4_sentences THEN 'c4_n_sentences'
            WHEN chunk.c4_kept_character_share < rule.min_c4_kept_character_share THEN 'c4_kept_character_share'
            WHEN chunk.c4_n_long_word_lines > rule.max_c4_long_word_lines THEN 'c4_n_long_word_lines'
            WHEN chunk.c4_n_unterminated_lines > rule.max_c4_unterminated_lines THEN 'c4_n_unterminated_lines'
            WHEN chunk.c4_n_few_word_lines > rule.max_c4_few_word_lines THEN 'c4_n_few_word_lines'
            WHEN chunk.c4_n_javascript_lines > rule.max_c4_javascript_lines THEN 'c4_n_javascript_lines'
            WHEN chunk.c4_n_policy_lines > rule.max_c4_policy_lines THEN 'c4_n_policy_lines'
            WHEN chunk.c4_has_lorem_ipsum AND rule.drop_lorem_ipsum THEN 'c4_has_lorem_ipsum'
            WHEN chunk.c4_has_curly_bracket AND rule.drop_curly_bracket THEN 'c4_has_curly_bracket'
            WHEN chunk.letter_share < rule.min_letter_share THEN 'letter_share'
            WHEN chunk.digit_share > rule.max_digit_share THEN 'digit_share'
            WHEN chunk.symbol_share > rule.max_symbol_share THEN 'symbol_share'
            WHEN chunk.punctuation_share > rule.max_punctuation_share THEN 'punctuation_share'
            WHEN chunk.whitespace_share > rule.max_whitespace_share THEN 'whitespace_share'
            WHEN chunk.uppercase_share > rule.max_uppercase_share THEN 'uppercase_share'
            WHEN chunk.script_share < rule.min_script_share THEN 'script_share'
            WHEN chunk.n_emails > rule.max_emails THEN 'n_emails'
            WHEN chunk.n_phones > rule.max_phones THEN 'n_phones'
            WHEN chunk.n_public_ips > rule.max_public_ips THEN 'n_public_ips'
            WHEN chunk.n_cards > rule.max_cards THEN 'n_cards'
            WHEN chunk.n_ibans > rule.max_ibans THEN 'n_ibans'
            WHEN chunk.n_urls > rule.max_urls THEN 'n_urls'
        END AS quality_reason
    FROM rule
    INNER JOIN corpus.chunk AS chunk ON rule.chunking_id = chunk.chunking_id
),

scored AS (
    -- Joined before what narrows the estimate of rows, so that the hash table is built over the scores.
    SELECT
        sifted.*,
        perplexity.bits_per_byte,
        perplexity.n_tokens,
        CASE
            WHEN sifted.percentile_within = 'language' THEN perplexity.percentile_in_language
            ELSE perplexity.percentile_in_corpus
        END AS percentile
    FROM sifted
    LEFT JOIN corpus.perplexity AS perplexity
        ON sifted.chunk_id = perplexity.chunk_id AND sifted.reference_id = perplexity.reference_id
),

judged AS MATERIALIZED (
    -- Every chunk by itself.
    SELECT
        scored.recipe,
        scored.chunk_id,
        scored.document_id,
        scored.split,
        scored.n_bytes,
        place.corpus,
        place.chosen_weight AS weight,
        place.single_weight,
        scored.bits_per_byte,
        scored.n_tokens,
        CASE
            WHEN percentile IS NULL THEN 'unscored'
            WHEN percentile < scored.head THEN 'head'
            WHEN percentile < scored.middle THEN 'middle'
            ELSE 'tail'
        END AS bucket,
        CASE
            WHEN place.reason IS NOT NULL THEN place.reason
            WHEN contaminated.has_overlap THEN 'evaluation_overlap'
            WHEN contaminated.has_near_duplicate THEN 'evaluation_near_duplicate'
            WHEN scored.quality_reason IS NOT NULL THEN scored.quality_reason
            WHEN place.is_other_language THEN 'language'
            WHEN left_out.n_characters > scored.max_left_out_share * scored.n_characters THEN 'repeated_passages'
            WHEN percentile > place.max_percentile THEN 'perplexity'
            WHEN percentile < scored.min_percentile THEN 'perplexity'
        END AS own_reason
    FROM scored
    INNER JOIN place ON scored.document_id = place.document_id AND scored.recipe = place.recipe
    LEFT JOIN left_out ON scored.chunk_id = left_out.chunk_id AND scored.recipe = left_out.recipe
    LEFT JOIN contaminated ON scored.chunk_id = contaminated.chunk_id AND scored.recipe = contaminated.recipe
),

-- Everything below is about the few chunks that have a likeness.
likeness AS NOT MATERIALIZED (
    SELECT
        rule.recipe,
        pair.chunk_a,
        pair.chunk_b
    FROM rule
    INNER JOIN corpus.duplicate_pair AS pair ON pair.jaccard >= rule.duplicate_threshold
),

overlap AS NOT MATERIALIZED (
    SELECT
        rule.recipe,
        found.chunk_id,
        found.item_id AS held_out_id
    FROM rule
    INNER JOIN corpus.contamination AS found
        ON found.evaluation_set = 'held_out' AND found.counts AND found.score > rule.held_out_share
),

alike AS (
    -- With their cluster where they are in one; chunks of the same text always are.
    SELECT
        recipe,
        chunk_id,
        max(cluster_id) AS cluster_id
    FROM (
        SELECT
            rule.recipe,
            member.chunk_id,
            member.cluster_id
        FROM rule
        INNER JOIN corpus.duplicate_cluster AS member ON rule.duplicate_threshold = member.threshold
        UNION ALL
        SELECT recipe, chunk_a, NULL FROM likeness
        UNION ALL
        SELECT recipe, chunk_b, NULL FROM likeness
        UNION ALL
        SELECT recipe, chunk_id, NULL FROM overlap
        UNION ALL
        SELECT recipe, held_out_id, NULL FROM overlap
    ) AS involved
    GROUP BY recipe, chunk_id
),

member AS MATERIALIZED (
    SELECT
        judged.recipe,
        judged.chunk_id,
        alike.cluster_id,
        chunk.text_sha256,
        judged.split,
        judged.own_reason,
        judged.weight,
        rule.duplicate_level,
        rule.rehydration_steps,
        list_select(
            [
                -judged.weight,
                chunk.n_replaced,
                CASE
                    WHEN contains(chunk.repair, '"counts"')
                        THEN coalesce(list_sum(CAST(chunk.repair -> '$.counts.*' AS BIGINT [])), 0)
                    ELSE 0
                END,
                coalesce(judged.bits_per_byte, 'infinity'),
                -chunk.n_characters,
                CAST(judged.chunk_id IS DISTINCT FROM alike.cluster_id AS INTEGER),
                epoch(place.first_seen_at)
            ],
            rule.keeper_criteria
        ) AS standing
    FROM alike
    INNER JOIN rule ON alike.recipe = rule.recipe
    INNER JOIN judged ON alike.chunk_id = judged.chunk_id AND alike.recipe = judged.recipe
    INNER JOIN corpus.chunk AS chunk ON alike.chunk_id = chunk.chunk_id
    INNER JOIN place ON judged.document_id = place.document_id AND judged.recipe = place.recipe
),

-- Pairs name one chunk of each text. Those within a cluster decide nothing more than it does.
resembles AS MATERIALIZED (
    SELECT
        likeness.recipe,
        chunk_a.text_sha256,
        chunk_b.text_sha256 AS other_sha256
    FROM likeness
    INNER JOIN member AS chunk_a ON likeness.chunk_a = chunk_a.chunk_id AND likeness.recipe = chunk_a.recipe
    INNER JOIN member AS chunk_b ON likeness.chunk_b = chunk_b.chunk_id AND likeness.recipe = chunk_b.recipe
    WHERE chunk_a.cluster_id IS DISTINCT FROM chunk_b.cluster_id OR chunk_a.cluster_id IS NULL
),

both_ways AS NOT MATERIALIZED (
    SELECT recipe, text_sha256, other_sha256 FROM resembles
    UNION ALL
    SELECT recipe, other_sha256, text_sha256 FROM resembles
),

-- Held-out text that a rule drops is not measured on, so nothing needs to keep away from it.
held_out_overlap AS (
    SELECT DISTINCT overlap.recipe, overlap.chunk_id
    FROM overlap
    INNER JOIN member AS held_out ON overlap.held_out_id = held_out.chunk_id AND overlap.recipe = held_out.recipe
    WHERE held_out.own_reason IS NULL AND held_out.split <> 'train'
),

held_out_cluster AS (
    SELECT DISTINCT recipe, cluster_id
    FROM member
    WHERE own_reason IS NULL AND split <> 'train' AND cluster_id IS NOT NULL
),

held_out_likeness AS (
    SELECT DISTINCT both_ways.recipe, both_ways.text_sha256
    FROM both_ways
    SEMI JOIN (FROM member WHERE own_reason IS NULL AND split <> 'train') AS held_out
        ON both_ways.other_sha256 = held_out.text_sha256 AND both_ways.recipe = held_out.recipe
),

separated AS (
    SELECT
        member.*,
        CASE
            WHEN member.own_reason IS NOT NULL THEN member.own_reason
            WHEN member.split = 'train' AND held_out_overlap.chunk_id IS NOT NULL THEN 'held_out_overlap'
            WHEN member.split = 'train' AND held_out_cluster.cluster_id IS NOT NULL THEN 'near_held_out'
            WHEN member.split = 'train' AND held_out_likeness.text_sha256 IS NOT NULL THEN 'near_held_out'
        END AS earlier_reason,
        CASE WHEN duplicate_level = 'none' THEN member.chunk_id ELSE coalesce(member.cluster_id, member.chunk_id) END AS group_id,
        CASE WHEN duplicate_level = 'exact' THEN member.text_sha256 END AS group_text
    FROM member
    LEFT JOIN held_out_overlap
        ON member.chunk_id = held_out_overlap.chunk_id AND member.recipe = held_out_overlap.recipe
    LEFT JOIN held_out_cluster
        ON member.cluster_id = held_out_cluster.cluster_id AND member.recipe = held_out_cluster.recipe
    LEFT JOIN held_out_likeness
        ON member.text_sha256 = held_out_likeness.text_sha256 AND member.recipe = held_out_likeness.recipe
),

ranked AS MATERIALIZED (
    SELECT
        *,
        row_number() OVER (PARTITION BY recipe ORDER BY standing, chunk_id) AS rank
    FROM separated
),

keeper AS (
    SELECT
        recipe,
        group_id,
        group_text,
        coalesce(arg_min(chunk_id, rank) FILTER (earlier_reason IS NULL), arg_min(chunk_id, rank)) AS keeper_id,
        count(*) FILTER (own_reason IS NULL OR own_reason NOT IN ('forgotten', 'source_retired')) AS n_copies
    FROM ranked
    GROUP BY recipe, group_id, group_text
),

placed AS MATERIALIZED (
    SELECT
        ranked.recipe,
        ranked.chunk_id,
        ranked.text_sha256,
        ranked.duplicate_level,
        ranked.earlier_reason,
        ranked.rank,
        keeper.keeper_id,
        ranked.weight * coalesce([step.factor FOR step IN ranked.rehydration_steps IF step.size <= keeper.n_copies][-1], 1.0) AS weight
    FROM ranked
    INNER JOIN keeper
        ON
            ranked.recipe = keeper.recipe
            AND ranked.group_id = keeper.group_id
            AND ranked.group_text IS NOT DISTINCT FROM keeper.group_text
),

-- Two clusters are apart at their centres only, so the keepers of two may be alike; then the one of higher rank stays.
contender AS NOT MATERIALIZED (
    SELECT
        recipe,
        chunk_id,
        text_sha256,
        rank
    FROM placed
    WHERE earlier_reason IS NULL AND keeper_id = chunk_id AND duplicate_level = 'near'
),

-- Materialised, so that no plan pairs every contender with every other first.
contender_link AS MATERIALIZED (
    SELECT
        contender.recipe,
        contender.chunk_id,
        contender.rank,
        both_ways.other_sha256
    FROM contender
    INNER JOIN both_ways ON contender.text_sha256 = both_ways.text_sha256 AND contender.recipe = both_ways.recipe
),

beaten AS (
    SELECT
        contender_link.recipe,
        contender_link.chunk_id,
        min_by(winner.chunk_id, winner.rank) AS winner_id
    FROM contender_link
    INNER JOIN contender AS winner
        ON
            contender_link.recipe = winner.recipe
            AND contender_link.other_sha256 = winner.text_sha256
            AND winner.rank < contender_link.rank
    GROUP BY contender_link.recipe, contender_link.chunk_id
),

compared AS (
    SELECT
        placed.recipe,
        placed.chunk_id,
        CASE
            WHEN placed.earlier_reason IS NOT NULL THEN placed.earlier_reason
            WHEN placed.keeper_id <> placed.chunk_id OR beaten.chunk_id IS NOT NULL THEN 'duplicate'
        END AS reason,
        coalesce(beaten.winner_id, placed.keeper_id) AS keeper_id,
        placed.weight
    FROM placed
    LEFT JOIN beaten ON placed.recipe = beaten.recipe AND placed.chunk_id = beaten.chunk_id
)

SELECT
    judged.recipe,
    judged.chunk_id,
    coalesce(compared.reason, judged.own_reason) IS NULL AS kept,
    coalesce(judged.own_reason, compared.reason) AS reason,
    coalesce(compared.weight, judged.single_weight) AS weight,
    coalesce(compared.keeper_id, judged.chunk_id) AS keeper_id,
    judged.bucket,
    judged.corpus,
    judged.split,
    judged.n_bytes,
    judged.n_tokens
FROM judged
LEFT JOIN compared ON judged.recipe = compared.recipe AND judged.chunk_id = compared.chunk_id;

COMMENT ON VIEW corpus.training_chunk IS 'One row a recipe and chunk: whether the recipe keeps it, and why not.';
COMMENT ON COLUMN corpus.training_chunk.recipe IS 'The recipe.';
COMMENT ON COLUMN corpus.training_chunk.chunk_id IS 'The chunk.';
COMMENT ON COLUMN corpus.training_chunk.kept IS 'Whether it is trained or measured on.';
COMMENT ON COLUMN corpus.training_chunk.reason IS 'The first rule that drops it; NULL where it is kept.';
COMMENT ON COLUMN corpus.training_chunk.weight IS 'How often it counts in training: the corpus''s weight times the recipe''s, times the recipe''s factor for the number of its copies.';
COMMENT ON COLUMN corpus.training_chunk.keeper_id IS 'The chunk that stands for it and its copies: by the recipe''s duplicates.keeper, among those that pass every other rule; itself where it has none.';
COMMENT ON COLUMN corpus.training_chunk.bucket IS 'head, middle or tail of its corpus (or language, as the recipe says) by bits per byte; unscored where it has no percentile.';
COMMENT ON COLUMN corpus.training_chunk.corpus IS 'Corpus of its source file.';
COMMENT ON COLUMN corpus.training_chunk.split IS 'train, validation, select, confirm or report.';
COMMENT ON COLUMN corpus.training_chunk.n_bytes IS 'Bytes of its clean text in UTF-8.';
COMMENT ON COLUMN corpus.training_chunk.n_tokens IS 'Tokens of the recipe''s perplexity reference; NULL where it has no score.';
