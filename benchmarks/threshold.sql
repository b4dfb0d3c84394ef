-- A Training Database of $n_chunks made-up chunks: 50 a document, scores, clusters of two to five with their pairs, repeated passages and contamination.
INSERT INTO corpus.corpus
SELECT 'corpus_' || i, 'CC0-1.0', NULL, 1.0, 'document', now() FROM range(8) AS t (i);

INSERT INTO corpus.source_file
SELECT md5('source' || i)::UUID, 'corpus_' || (i % 8), '/file_' || i, sha256('file' || i)::BLOB, 100000, 0, 0, 'text/plain', 'CC0-1.0',
    TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_seconds(i), NULL, 'read', NULL
FROM range($n_chunks // 50) AS t (i);

INSERT INTO corpus.stream (stream_id, source_id, container, member, n_bytes, sha256, code_version)
SELECT md5('stream' || i)::UUID, md5('source' || i)::UUID, 'file', NULL, 100000, sha256('file' || i)::BLOB, 'v'
FROM range($n_chunks // 50) AS t (i);

INSERT INTO corpus.document
    (document_id, stream_id, ordinal, byte_start, byte_end, reader, reader_version, encoding, encoding_confidence, encoding_evidence,
    language, language_score, n_characters)
SELECT md5('document' || i)::UUID, md5('stream' || i)::UUID, 0, 0, 100000, 'plain', '1', 'utf-8', 1.0, '{}',
    ['en', 'en', 'de', 'fr'][1 + i % 4], 0.9, 100000
FROM range($n_chunks // 50) AS t (i);

CREATE TEMPORARY TABLE made AS
SELECT
    i,
    md5('chunk' || i)::UUID AS chunk_id,
    hash(i) / 18446744073709551616.0 AS u,
    hash(i, 1) / 18446744073709551616.0 AS v,
    hash(i, 2) / 18446744073709551616.0 AS w
FROM range($n_chunks) AS t (i);

CREATE TEMPORARY TABLE clustered AS
SELECT
    member.chunk_id,
    centre.chunk_id AS cluster_id
FROM made AS member
INNER JOIN made AS centre ON centre.i = (hash(member.i // 10) % ($n_chunks // 10))::BIGINT * 10
WHERE member.i % 10 < 1 + hash(member.i // 10, 5) % 5 AND hash(member.i // 10, 6) % 100 < 40 AND member.i <> centre.i
UNION
SELECT DISTINCT centre.chunk_id, centre.chunk_id
FROM made AS centre
WHERE centre.i % 10 = 0;

DELETE FROM clustered
WHERE chunk_id IN (SELECT chunk_id FROM clustered WHERE chunk_id <> cluster_id) AND chunk_id = cluster_id
OR cluster_id IN (SELECT chunk_id FROM clustered WHERE chunk_id <> cluster_id);

INSERT INTO corpus.duplicate_cluster
SELECT chunk_id, cluster_id, 0.8, 0.9, 'made'
FROM (SELECT chunk_id, min(cluster_id) AS cluster_id FROM clustered GROUP BY chunk_id) AS member
WHERE cluster_id IN (SELECT cluster_id FROM clustered GROUP BY cluster_id HAVING count(*) > 1);

INSERT INTO corpus.chunk BY NAME
SELECT
    made.chunk_id, md5('document' || (i // 50))::UUID AS document_id, $chunking_id::UUID AS chunking_id, i % 50 AS ordinal, (i % 50) * 2000 AS byte_start,
    (i % 50 + 1) * 2000 AS byte_end, (i % 50) * 2000 AS char_start, (i % 50 + 1) * 2000 AS char_end, 'utf-8' AS encoding,
    1.0 AS encoding_confidence, '{}' AS encoding_evidence,
    CASE WHEN u < 0.02 THEN '{"errors": "strict", "steps": [["page_breaks"]], "counts": {"page_breaks": 1}}'
        ELSE '{"errors": "strict", "steps": []}' END AS repair,
    (200 + 1800 * v)::INTEGER AS n_characters, (3 + 330 * v)::INTEGER AS n_words, (3 + 320 * v)::INTEGER AS n_non_symbol_words,
    (200 + 1900 * v)::INTEGER AS n_bytes, sha256(CASE WHEN hash(i, 3) % 100 < 20 THEN coalesce(cluster_id, made.chunk_id) ELSE made.chunk_id END::VARCHAR)::BLOB AS text_sha256, 'made.parquet' AS text_file, i AS text_row,
    ['train', 'train', 'train', 'train', 'train', 'train', 'train', 'train', 'validation', 'report'][1 + (i // 50) % 10] AS split,
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
    0.05 * v AS punctuation_share, 0.2 AS whitespace_share, 0.1 * w AS uppercase_share, 'en' AS language, 0.9 AS language_score,
    'Latin' AS script, 0.9 + 0.1 * u AS script_share, (u > 0.99)::INTEGER AS n_emails, 0 AS n_phones, 0 AS n_public_ips, 0 AS n_cards,
    0 AS n_ibans, (3 * w)::INTEGER AS n_urls
FROM made
LEFT JOIN corpus.duplicate_cluster AS member ON made.chunk_id = member.chunk_id
ORDER BY i;

INSERT INTO corpus.perplexity BY NAME
SELECT
    made.chunk_id, $reference_id::UUID AS reference_id, 0 AS fold, 1 + 2 * (u + v) AS bits_per_byte, 40 AS perplexity, (100 + 400 * v)::INTEGER AS n_tokens,
    (row_number() OVER (PARTITION BY (i // 50) % 8 ORDER BY u + v, chunk_id) - 0.5) / count(*) OVER (PARTITION BY (i // 50) % 8) AS percentile_in_corpus,
    (row_number() OVER (PARTITION BY (i // 50) % 4 // 2 ORDER BY u + v, chunk_id) - 0.5) / count(*) OVER (PARTITION BY (i // 50) % 4 // 2) AS percentile_in_language
FROM made;

INSERT INTO corpus.duplicate_pair
SELECT least(chunk_id, cluster_id), greatest(chunk_id, cluster_id), 0.8 + 0.2 * (hash(chunk_id) / 18446744073709551616.0), 'made'
FROM corpus.duplicate_cluster
WHERE chunk_id <> cluster_id
UNION ALL
SELECT least(a.chunk_id, b.chunk_id), greatest(a.chunk_id, b.chunk_id), 0.85, 'made'
FROM made AS a
INNER JOIN made AS b ON b.i = (a.i * 7 + 13) % $n_chunks
WHERE a.i % 40 = 7;

INSERT INTO corpus.repeated_range BY NAME
SELECT
    chunk_id, $chunking_id::UUID AS chunking_id, hash(i, 7) % 1000 AS passage_id, ['paragraph', 'line'][1 + i % 2] AS level,
    2 + (hash(i, 8) % 100)::INTEGER AS n_documents, 0 AS paragraph_documents, i % 500 = 0 AS is_first, 0 AS char_start, (50 + 700 * u)::INTEGER AS char_end
FROM made
WHERE hash(i, 9) % 10 = 0
ORDER BY chunk_id;

INSERT INTO corpus.contamination BY NAME
SELECT
    chunk_id, ['held_out', 'questions'][1 + i % 2] AS evaluation_set, CASE WHEN i % 2 = 0 THEN md5('chunk' || (i // 500 * 500 + 400))::UUID ELSE md5('item' || i)::UUID END AS item_id, 'near_duplicate' AS rule,
    0.5 + 0.5 * v AS score, 20 AS n_words, true AS counts, 'made' AS rule_version
FROM made
WHERE hash(i, 10) % 1000 = 0;
