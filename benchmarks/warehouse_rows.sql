-- A Training Database of made-up rows: $n_documents documents of 50 chunks, half of the containers' documents in archives of 100, recipes, scores, shards of one token a byte and nine models.
-- made holds i, chunk_id, text_sha256, n_bytes, text_file and text_row of every chunk; its texts lie in text/.

INSERT INTO corpus.corpus
SELECT 'corpus_' || i, ['CC0-1.0', 'CC-BY-4.0', 'MIT', 'CC-BY-SA-4.0'][1 + i % 4], NULL, 1.0, 'document', TIMESTAMPTZ '2026-01-01 00:00:00+00'
FROM range(8) AS t (i);

CREATE TEMPORARY TABLE unit AS
SELECT
    i,
    i % 8 = 0 AS in_archive,
    CASE WHEN i % 8 = 0 THEN 'archive' || (i // 800) ELSE 'file' || i END AS source,
    md5('document' || i)::UUID AS document_id,
    md5('stream' || i)::UUID AS stream_id,
    ['train', 'train', 'train', 'train', 'train', 'train', 'train', 'validation', 'select', 'report'][1 + (i // 8) % 10] AS split,
    ['en', 'en', 'de', 'fr'][1 + (i // 8) % 4] AS language,
    total.n_bytes,
    total.sha256
FROM range($n_documents) AS t (i)
INNER JOIN (SELECT i // 50 AS number, sum(n_bytes)::BIGINT AS n_bytes, any_value(document_sha256) AS sha256 FROM made GROUP BY ALL) AS total ON i = total.number;

INSERT INTO corpus.source_file
SELECT md5(source)::UUID, 'corpus_' || min(i) % 8, $raw || '/' || source || '.txt', CASE WHEN any_value(in_archive) THEN sha256(source)::BLOB ELSE any_value(sha256) END, sum(n_bytes), 0, 0, 'text/plain',
    CASE WHEN min(i) % 5 = 1 THEN 'Apache-2.0' ELSE ['CC0-1.0', 'CC-BY-4.0', 'MIT', 'CC-BY-SA-4.0'][1 + min(i) % 4] END,
    TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_seconds(min(i)), NULL, 'read', NULL
FROM unit
GROUP BY source
ORDER BY min(i);

INSERT INTO corpus.stream (stream_id, source_id, container, member, n_bytes, sha256, code_version)
SELECT stream_id, md5(source)::UUID, CASE WHEN in_archive THEN 'zip' ELSE 'file' END, CASE WHEN in_archive THEN 'member' || i END, n_bytes, sha256, 'made'
FROM unit
ORDER BY i;

INSERT INTO corpus.document
    (document_id, stream_id, ordinal, byte_start, byte_end, reader, reader_version, encoding, encoding_confidence, encoding_evidence,
    language, language_score, n_characters, title)
SELECT document_id, stream_id, 0, 0, n_bytes, 'plain', '2', 'ascii', 1.0, '{"evidence": ["ASCII only"], "runners_up": [], "flags": []}',
    language, 0.9 + 0.1 * hash(i) / 18446744073709551616.0, n_bytes, 'Made-up document ' || i
FROM unit
ORDER BY i;

INSERT INTO corpus.chunk BY NAME
SELECT
    made.chunk_id, document_id, $chunking_id::UUID AS chunking_id, made.i % 50 AS ordinal, made.byte_end - made.n_bytes AS byte_start, byte_end,
    byte_end - made.n_bytes AS char_start, byte_end AS char_end, 'ascii' AS encoding, 1.0 AS encoding_confidence,
    '{"evidence": ["ASCII only"], "runners_up": [], "flags": []}' AS encoding_evidence, '{"errors": "strict", "steps": []}' AS repair,
    made.n_bytes AS n_characters, made.n_bytes // 6 AS n_words, made.n_bytes // 6 AS n_non_symbol_words, made.n_bytes, text_sha256, text_file, text_row, split,
    (1 + 30 * w)::INTEGER AS n_lines, CASE WHEN u > 0.995 THEN 60 ELSE 0 END AS n_replaced, 3.0 + 3.0 * w AS mean_word_length,
    0.01 * u AS hash_word_ratio, 0.02 * v AS ellipsis_word_ratio, 1 - 0.3 * w AS alphabetic_word_share, (8 * u)::SMALLINT AS stop_word_kinds,
    0.2 * u AS bullet_line_share, 0.2 * v AS ellipsis_line_share, w AS terminal_punctuation_line_share, u AS short_line_share,
    0.3 * v * w AS duplicate_line_share, 0.7 * v * w AS duplicate_line_character_share, 0.1 * v AS duplicate_paragraph_share,
    0.1 * w AS duplicate_paragraph_character_share, 0.2 * u AS top_2gram_character_share, 0.18 * u AS top_3gram_character_share,
    0.15 * u AS top_4gram_character_share, 0.2 * v AS duplicate_5gram_character_share, 0.18 * v AS duplicate_6gram_character_share,
    0.16 * v AS duplicate_7gram_character_share, 0.14 * v AS duplicate_8gram_character_share, 0.12 * v AS duplicate_9gram_character_share,
    0.1 * v AS duplicate_10gram_character_share, 0.02 * w AS fineweb_duplicate_line_character_share, 0.3 * u AS newline_word_ratio,
    (20 * v)::INTEGER AS c4_n_sentences, w AS c4_kept_character_share, 0 AS c4_n_long_word_lines, (10 * w)::INTEGER AS c4_n_unterminated_lines,
    (5 * w)::INTEGER AS c4_n_few_word_lines, 0 AS c4_n_javascript_lines, 0 AS c4_n_policy_lines, false AS c4_has_lorem_ipsum,
    u > 0.99 AS c4_has_curly_bracket, 0.35 + 0.6 * u AS letter_share, 0.45 * v * w AS digit_share, 0.05 * w AS symbol_share,
    0.05 * v AS punctuation_share, 0.15 + 0.05 * u AS whitespace_share, 0.1 * w AS uppercase_share, language, 0.5 + 0.5 * v AS language_score,
    'Latin' AS script, 0.9 + 0.1 * u AS script_share, (u > 0.99)::INTEGER AS n_emails, 0 AS n_phones, 0 AS n_public_ips, 0 AS n_cards,
    0 AS n_ibans, (3 * w)::INTEGER AS n_urls
FROM (
    SELECT
        *,
        sum(n_bytes) OVER (PARTITION BY i // 50 ORDER BY i)::BIGINT AS byte_end,
        hash(i) / 18446744073709551616.0 AS u,
        hash(i, 1) / 18446744073709551616.0 AS v,
        hash(i, 2) / 18446744073709551616.0 AS w
    FROM made
) AS made
INNER JOIN unit ON made.i // 50 = unit.i
ORDER BY made.i;

INSERT INTO corpus.signature
SELECT chunk_id, md5('sketch')::UUID, 'made-' || (i // 100000) || '.parquet', true FROM made ORDER BY i;

INSERT INTO corpus.passage_index
SELECT chunk_id, 'made', 'made-' || (i // 100000) || '.parquet' FROM made ORDER BY i;

INSERT INTO corpus.private_range
SELECT chunk_id, 'email', 10, 30 FROM made WHERE hash(i) / 18446744073709551616.0 > 0.99 ORDER BY i;

INSERT INTO corpus.duplicate_cluster
SELECT chunk_id, md5('chunk' || (i - i % 20))::UUID, 0.8, CASE WHEN i % 20 = 0 THEN 1 ELSE 0.9 END, 'made' FROM made WHERE i % 20 < 2 ORDER BY i;

INSERT INTO corpus.duplicate_pair
SELECT least(chunk_id, cluster_id), greatest(chunk_id, cluster_id), 0.9, 'made' FROM corpus.duplicate_cluster WHERE chunk_id <> cluster_id;

INSERT INTO corpus.perplexity BY NAME
SELECT
    chunk_id, $reference_id::UUID AS reference_id, (i // 50) % 2 AS fold, 1 + 4 * (hash(i, 4) / 18446744073709551616.0) AS bits_per_byte,
    40 + 100 * (hash(i, 4) / 18446744073709551616.0) AS perplexity, n_bytes // 3 AS n_tokens, (hash(i, 4) / 18446744073709551616.0) AS percentile_in_corpus,
    (hash(i, 4) / 18446744073709551616.0) AS percentile_in_language
FROM made
ORDER BY i;

INSERT INTO corpus.contamination_search
SELECT chunk_id, md5('collection')::UUID FROM made ORDER BY i;

INSERT INTO corpus.held_out_search
SELECT chunk_id, 'made' FROM made ORDER BY i;

INSERT INTO corpus.recipe VALUES ('default', sha256($recipe)::BLOB, $chunking_id::UUID, $reference_id::UUID, $recipe);

INSERT INTO tokens.tokenizer VALUES ($tokenizer_id::UUID, $tokenizer_sha256, 257, sha256($recipe)::BLOB, 'default-bytes');

CREATE TEMPORARY TABLE placed AS
SELECT
    split,
    CASE WHEN split = 'train' THEN unit.i % 8 ELSE 0 END AS number,
    made.i,
    made.chunk_id,
    made.n_bytes,
    sum(made.n_bytes + 1) OVER (PARTITION BY split, number ORDER BY document_id, made.i)::BIGINT AS token_end
FROM made
INNER JOIN unit ON made.i // 50 = unit.i;

INSERT INTO tokens.shard_chunk
SELECT md5('shard' || split || number)::UUID, chunk_id, token_end - n_bytes - 1, token_end
FROM placed
ORDER BY split, number, token_end;

INSERT INTO tokens.shard
SELECT
    md5('shard' || split || number)::UUID, $tokenizer_id::UUID, 'default', split, number, 'default-bytes/' || split || '-0' || number || '.bin',
    max(token_end), count(*), sum(n_bytes), sha256('shard' || split || number)::BLOB
FROM placed
GROUP BY split, number
ORDER BY split, number;

INSERT INTO tokens.shard_origin
SELECT shard_id, tokenizer_id, recipe, split, number, path, n_tokens, sha256, [] FROM tokens.shard;

-- A trunk that read a tenth of the train chunks in random order, six replicates of it that read a twentieth each, their mix, and a model that read everything twice.
INSERT INTO models.checkpoint BY NAME
SELECT
    md5('model' || n)::UUID AS checkpoint_id, CASE n WHEN 8 THEN 'everything' ELSE 'population' END AS experiment, 'default' AS recipe,
    CASE WHEN n IN (0, 8) THEN 'trunk' WHEN n = 7 THEN 'mixed_model' ELSE 'micromodel' END AS kind, CASE WHEN n BETWEEN 1 AND 6 THEN n - 1 END AS replicate,
    1000 AS step, '1mx' AS preset, 1048576 AS n_parameters, sha256('model' || n)::BLOB AS sha256, 2.5 AS bits_per_byte, n AS seed,
    CASE n WHEN 7 THEN 'promoted' END AS alias, 'model-' || n AS path, TIMESTAMPTZ '2026-02-01 00:00:00+00' + to_days(n) AS created_at
FROM range(9) AS t (n);

INSERT INTO models.checkpoint_parent
SELECT md5('model' || n)::UUID, md5('model0')::UUID, 'resume', 1 FROM range(1, 7) AS t (n)
UNION ALL
SELECT md5('model7')::UUID, md5('model' || n)::UUID, 'mix', 1 / 6 FROM range(1, 7) AS t (n);

INSERT INTO models.checkpoint_range
SELECT md5('model' || n)::UUID, md5('shard' || split || number)::UUID, token_end - n_bytes - 1, token_end, 1
FROM placed, range(7) AS t (n)
WHERE split = 'train' AND hash(placed.i, n + 20) % 20 < if(n = 0, 2, 1)
ORDER BY n, number, token_end;

INSERT INTO models.checkpoint_range
SELECT md5('model8')::UUID, shard_id, 0, n_tokens, 2 FROM tokens.shard WHERE split = 'train' ORDER BY number;

INSERT INTO reports.evaluation BY NAME
SELECT checkpoint_id, 'default' AS recipe, experiment, kind || coalesce(' ' || replicate, '') AS model, 'bits_per_byte' AS suite, 'report/all' AS item_set,
    'bits_per_byte' AS metric, bits_per_byte AS value, 1000 AS n_items, 2.4 AS ci_low, 2.6 AS ci_high
FROM models.checkpoint;

INSERT INTO meta.materialization
SELECT asset, '', 'made', 'made', 'made', '{}', $n_documents * 50, 0, 0, TIMESTAMPTZ '2026-02-01 00:00:00+00'
FROM (SELECT unnest(['corpus/source_file', 'corpus/document', 'corpus/chunk', 'corpus/duplicate', 'corpus/perplexity']) AS asset);
