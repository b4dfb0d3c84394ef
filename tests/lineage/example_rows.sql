-- A small Training Database: two corpora, five files (one failed, one gone since), nine chunks, two micromodels
-- branched from a trunk, and their mix. Ids are the MD5 of readable names, so that tests can name them.
CREATE MACRO id(name) AS md5(name)::UUID;
CREATE MACRO digest(name) AS unhex(sha256(name));
CREATE TEMP TABLE number AS SELECT i::INTEGER AS i FROM range(9) AS numbers(i);

INSERT INTO corpus.corpus VALUES
    ('books', 'CC0-1.0', NULL, 1.0, 'document', now()),
    ('letters', 'CC-BY-4.0', 'https://example.org/letters', 2.0, 'document', now());

INSERT INTO corpus.source_file
SELECT
    id(name), corpus, path, digest(name), 1000, 0, 0, 'text/plain', licence, now(), NULL, status, error
FROM (VALUES
    ('file-alice', 'books', '/texts/alice.txt', 'CC0-1.0', 'read', NULL),
    ('file-emma', 'books', '/texts/<script>alert(1)</script>.txt', 'CC0-1.0', 'read', NULL),
    ('file-letter', 'letters', '/texts/letter.txt', 'CC-BY-4.0', 'read', NULL),
    ('file-broken', 'letters', '/texts/broken.gz', 'CC-BY-4.0', 'failed', 'not a gzip file & nothing else')
) AS files(name, corpus, path, licence, status, error);

INSERT INTO corpus.stream
SELECT id('stream-' || name), id('file-' || name), 'file', NULL, 1000, digest(name), '1', 0, NULL
FROM (VALUES ('alice'), ('emma'), ('letter')) AS streams(name);

INSERT INTO corpus.document
SELECT
    id('document-' || name), id('stream-' || name), 0, 0, 900, 'plain', '1', encoding, 0.9, '{"runners_up": []}',
    'en', 0.99, 900, name, NULL, NULL, digest('document-' || name)
FROM (VALUES ('alice', 'utf-8'), ('emma', 'cp1252'), ('letter', 'utf-8')) AS documents(name, encoding);

INSERT INTO corpus.dropped
SELECT id('stream-' || name), NULL, 900, 1000, 'binary', NULL, NULL
FROM (VALUES ('alice'), ('emma'), ('letter')) AS streams(name);

-- chunk-0 .. chunk-2 are of alice, 3 .. 5 of emma, 6 .. 8 of letter; the last of each is held out.
INSERT INTO corpus.chunk (
    chunk_id, document_id, chunking_id, ordinal, byte_start, byte_end, char_start, char_end, encoding,
    encoding_confidence, encoding_evidence, decoder_state, repair, n_characters, n_words, n_bytes, text_sha256, text_file,
    text_row, split, n_lines, n_replaced, mean_word_length, alphabetic_word_share, stop_word_kinds, bullet_line_share,
    ellipsis_line_share, terminal_punctuation_line_share, short_line_share, duplicate_line_share,
    duplicate_line_character_share, letter_share, digit_share, uppercase_share
)
SELECT
    id('chunk-' || i), id('document-' || ['alice', 'emma', 'letter'][i // 3 + 1]), id('chunking'), i % 3,
    i % 3 * 300, i % 3 * 300 + 300, i % 3 * 300, i % 3 * 300 + 300, 'utf-8', 0.9, '{}', NULL,
    if(i = 3, '{"errors": "strict", "steps": [["fix_encoding", 0, [["encode", "latin-1"], ["decode", "utf-8"]]]]}', '{}'),
    300, 50 + i, 300, digest('text-' || i), 'one.parquet', i, if(i % 3 = 2, 'report', 'train'),
    10, if(i = 3, 2, 0), 4.5, 1.0, 4, 0.0, 0.0, 0.8, 0.1, 0.0, 0.0, 0.8, 0.01, 0.03
FROM number;

INSERT INTO corpus.private_range
VALUES
(id('chunk-3'), 'email', 10, 27), (id('chunk-3'), 'email', 40, 57), (id('chunk-4'), 'email', 0, 17),
(id('chunk-4'), 'phone', 100, 112);

INSERT INTO corpus.recipe VALUES
    ('default', digest('recipe'), id('chunking'), id('reference'),
    '{"duplicates": {"threshold": 0.8, "keeper": ["centre"]}, "perplexity": {"head": 0.3, "middle": 0.6, "max_percentile": 0.99}, "passages": {"remove": ["paragraph"], "min_documents": 2, "keep_first": true}, "privacy": {"mask": ["email"]}, "quality": {"min_words": 51}}');
INSERT INTO corpus.reference VALUES
    (id('reference'), 'ngram', 'ngram/1', digest('ngram'), '{"order": 5}', now());
INSERT INTO corpus.perplexity
SELECT id('chunk-' || i), id('reference'), 0, 1.5 + i / 10, 30 + i, 80, (i + 0.5) / 9, (i + 0.5) / 9 FROM number;
-- The first ten characters of chunk-2 and chunk-5 are the same paragraph.
INSERT INTO corpus.repeated_passage VALUES (1, id('chunking'), 'paragraph', 2, 2, 10, id('chunk-2'));
INSERT INTO corpus.repeated_range VALUES
    (id('chunk-2'), id('chunking'), 1, 'paragraph', 2, 0, true, 0, 10),
    (id('chunk-5'), id('chunking'), 1, 'paragraph', 2, 0, false, 0, 10);
INSERT INTO corpus.evaluation_item VALUES (id('item'), 'puzzles', '/texts/puzzles.jsonl', 0, 14, true);
INSERT INTO corpus.contamination VALUES (id('chunk-6'), 'puzzles', id('item'), 'near_duplicate', 0.6, 9, true, '1');
-- chunk-1 and chunk-4 are alike; chunk-0 is dropped for its 50 words.
INSERT INTO corpus.duplicate_pair
SELECT least(id('chunk-1'), id('chunk-4')), greatest(id('chunk-1'), id('chunk-4')), 0.9, '1';
INSERT INTO corpus.duplicate_cluster (chunk_id, cluster_id, threshold, jaccard, rule_version) VALUES
    (id('chunk-1'), id('chunk-1'), 0.8, 1.0, '1'), (id('chunk-4'), id('chunk-1'), 0.8, 0.9, '1');

INSERT INTO tokens.tokenizer VALUES (id('tokenizer'), digest('tokenizer'), 2048, digest('recipe'), 'one');
INSERT INTO tokens.shard VALUES
    (id('shard-train'), id('tokenizer'), 'default', 'train', 0, 'one/train-0.bin', 20000, 5, 1500, digest('shard'));
INSERT INTO tokens.shard_origin
SELECT shard_id, tokenizer_id, recipe, split, number, path, n_tokens, sha256, ['email'] FROM tokens.shard
UNION ALL
SELECT id('shard-past'), id('tokenizer'), 'default', 'train', 1, 'one/train-1.bin', 700, digest('past'), [];
-- Chunks of 5,000 tokens, so that ranges and chunks reach over multiples of 8,192.
INSERT INTO tokens.shard_chunk VALUES
    (id('shard-train'), id('chunk-1'), 0, 5000),
    (id('shard-train'), id('chunk-3'), 5000, 10000),
    (id('shard-train'), id('chunk-6'), 10000, 15000),
    (id('shard-train'), id('chunk-7'), 15000, 20000),
    (id('shard-past'), id('chunk-forgotten'), 0, 700);

INSERT INTO models.checkpoint
SELECT
    id(name), 'night-1', 'default', kind, replicate, step, '1mx', 1048576, digest(name), bits_per_byte, 7, alias,
    'night-1/' || name, now()
FROM (VALUES
    ('trunk', 'trunk', NULL, 100, 2.3, NULL),
    ('micromodel-0', 'micromodel', 0, 200, 2.1, NULL),
    ('micromodel-1', 'micromodel', 1, 200, 2.2, NULL),
    ('mixed', 'mixed_model', NULL, 200, 2.0, 'promoted')
) AS models(name, kind, replicate, step, bits_per_byte, alias);
INSERT INTO models.checkpoint_parent VALUES
    (id('micromodel-0'), id('trunk'), 'resume', 1.0),
    (id('micromodel-1'), id('trunk'), 'resume', 1.0),
    (id('mixed'), id('micromodel-0'), 'mix', 0.75),
    (id('mixed'), id('micromodel-1'), 'mix', 0.25);
INSERT INTO models.checkpoint_range VALUES
    (id('trunk'), id('shard-train'), 4000, 12000, 1),
    (id('micromodel-0'), id('shard-train'), 15000, 20000, 2),
    (id('micromodel-1'), id('shard-past'), 0, 700, 1);

INSERT INTO models.training_metric
SELECT
    'night-1', replicate, step, step * 1000, 5.0 - step / 100, if(step % 50 = 0, 3.0 - step / 200, NULL), 0.01, 5000,
    1.7 - step / 300, 1.5, 0.45
FROM (VALUES (NULL), (0), (1)) AS replicates(replicate)
CROSS JOIN (SELECT (i + 1) * 10 AS step FROM range(10) AS steps(i)) AS steps;

INSERT INTO reports.evaluation
SELECT
    if(known, id(name), NULL), 'default', 'night-1', model, 'bits_per_byte', item_set, 'bits_per_byte',
    value, 3, value - 0.1, value + 0.1
FROM (VALUES
    ('mixed', true, 'mixed model', 'report/all', 2.0),
    ('micromodel-0', true, 'micromodel 0', 'report/all', 2.1),
    ('micromodel-1', true, 'micromodel 1', 'report/all', 2.2),
    ('unigram', false, 'unigram', 'report/all', 4.6),
    ('5-gram', false, '5-gram', 'report/all', 1.9),
    ('mixed', true, 'mixed model', 'report/books', 1.95),
    ('5-gram', false, '5-gram', 'report/books', 1.85)
) AS evaluations(name, known, model, item_set, value);

INSERT INTO meta.materialization VALUES
    ('corpus/chunk', '', 'run-1', 'code-1', 'data-1', '{}', 9, 1.5, 104857600, now());

-- As queries/record_model_sources.sql counts them.
INSERT INTO models.checkpoint_source
SELECT
    checkpoint_id, source_id, count(DISTINCT chunk_id), sum((token_end - token_start) * times)
FROM lineage.model_chunk
LEFT JOIN lineage.chunk_source USING (chunk_id)
GROUP BY ALL;
