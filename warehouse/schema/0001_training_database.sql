-- The Training Database, first version (DESIGN §5).
-- No PRIMARY or FOREIGN KEY: uniqueness is an asset check, because keys make replacing rows fail and inserts slow.
-- Ids are 128-bit content hashes stored as UUID; SHA-256 hashes are BLOB; byte ranges are half open, [start, end).

CREATE SCHEMA corpus;
CREATE SCHEMA tokens;
CREATE SCHEMA models;
CREATE SCHEMA reports;
CREATE SCHEMA lineage;

-- Made by the migration runner: the schema meta and the table meta.schema_version.

CREATE TABLE meta.home (
    split_salt VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE meta.home IS 'One row: what makes this home''s random choices its own.';
COMMENT ON COLUMN meta.home.split_salt IS 'Hashed with each document to choose its split; never changes in the life of a home.';
COMMENT ON COLUMN meta.home.created_at IS 'When the home was initialised.';

CREATE TABLE meta.materialization (
    asset VARCHAR NOT NULL,
    scope VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    code_version VARCHAR NOT NULL,
    data_version VARCHAR NOT NULL,
    inputs JSON NOT NULL,
    n_rows BIGINT NOT NULL,
    seconds DOUBLE NOT NULL,
    peak_memory_bytes BIGINT NOT NULL,
    "at" TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE meta.materialization IS 'One row a commit of a stage; the newest row of an asset and scope says what it was made from.';
COMMENT ON COLUMN meta.materialization.asset IS 'Asset key, schema/table.';
COMMENT ON COLUMN meta.materialization.scope IS 'Recipe (or empty where a stage serves all recipes): versions are compared within a scope.';
COMMENT ON COLUMN meta.materialization.run_id IS 'Dagster run that committed it, or the process where there was none.';
COMMENT ON COLUMN meta.materialization.code_version IS 'Hash of the source of the stage''s pure functions.';
COMMENT ON COLUMN meta.materialization.data_version IS 'Hash of the inputs'' versions, the parameters and the code version.';
COMMENT ON COLUMN meta.materialization.inputs IS 'JSON object: each input asset or parameter and its version.';
COMMENT ON COLUMN meta.materialization.n_rows IS 'Rows of the asset after the commit.';
COMMENT ON COLUMN meta.materialization.seconds IS 'Wall time of the stage, in seconds.';
COMMENT ON COLUMN meta.materialization.peak_memory_bytes IS 'Largest resident memory of the stage''s process or of one of its children so far, in bytes.';
COMMENT ON COLUMN meta.materialization."at" IS 'When it was committed.';

CREATE TABLE corpus.corpus (
    corpus VARCHAR NOT NULL,
    licence VARCHAR NOT NULL,
    url VARCHAR,
    weight DOUBLE NOT NULL,
    split_unit VARCHAR,
    added_at TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE corpus.corpus IS 'One row a registered corpus.';
COMMENT ON COLUMN corpus.corpus.corpus IS 'Name.';
COMMENT ON COLUMN corpus.corpus.licence IS 'SPDX expression that holds for files without an own one.';
COMMENT ON COLUMN corpus.corpus.url IS 'Where the corpus comes from.';
COMMENT ON COLUMN corpus.corpus.weight IS 'How often a document counts in training; 1 is once.';
COMMENT ON COLUMN corpus.corpus.split_unit IS 'document, section or chunk: what is assigned to a split; decided at the first build and kept.';
COMMENT ON COLUMN corpus.corpus.added_at IS 'When it was registered.';

CREATE TABLE corpus.location (
    corpus VARCHAR NOT NULL,
    path VARCHAR NOT NULL
);
COMMENT ON TABLE corpus.location IS 'One row a file, folder or glob that a corpus watches.';
COMMENT ON COLUMN corpus.location.corpus IS 'Name of the corpus.';
COMMENT ON COLUMN corpus.location.path IS 'Absolute path or glob.';

CREATE TABLE corpus.licence_override (
    corpus VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    licence VARCHAR NOT NULL
);
COMMENT ON TABLE corpus.licence_override IS 'One row a file whose licence differs from its corpus''s.';
COMMENT ON COLUMN corpus.licence_override.corpus IS 'Name of the corpus.';
COMMENT ON COLUMN corpus.licence_override.path IS 'Absolute path of the file.';
COMMENT ON COLUMN corpus.licence_override.licence IS 'SPDX expression.';

CREATE TABLE corpus.source_file (
    source_id UUID NOT NULL,
    corpus VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    sha256 BLOB,
    n_bytes BIGINT NOT NULL,
    modified_ns BIGINT NOT NULL,
    changed_ns BIGINT NOT NULL,
    media_type VARCHAR,
    licence VARCHAR NOT NULL,
    first_seen_at TIMESTAMPTZ NOT NULL,
    retired_at TIMESTAMPTZ,
    status VARCHAR NOT NULL,
    error VARCHAR
);
COMMENT ON TABLE corpus.source_file IS 'One row a raw file as found; a changed file is a new row and the old one is retired.';
COMMENT ON COLUMN corpus.source_file.source_id IS 'Hash of corpus, path and sha256.';
COMMENT ON COLUMN corpus.source_file.corpus IS 'Name of the corpus.';
COMMENT ON COLUMN corpus.source_file.path IS 'Absolute path; bytes that are not UTF-8 appear as \xNN.';
COMMENT ON COLUMN corpus.source_file.sha256 IS 'Hash of the raw bytes; NULL where the file could not be read.';
COMMENT ON COLUMN corpus.source_file.n_bytes IS 'Length of the raw file.';
COMMENT ON COLUMN corpus.source_file.modified_ns IS 'Modification time when it was hashed, nanoseconds since the epoch.';
COMMENT ON COLUMN corpus.source_file.changed_ns IS 'Status change time when it was hashed, nanoseconds since the epoch: equal sizes and times spare the hash.';
COMMENT ON COLUMN corpus.source_file.media_type IS 'Media type by file name.';
COMMENT ON COLUMN corpus.source_file.licence IS 'SPDX expression that holds for this file.';
COMMENT ON COLUMN corpus.source_file.first_seen_at IS 'When this content was first seen at this path.';
COMMENT ON COLUMN corpus.source_file.retired_at IS 'When it was found changed or gone; NULL while it is current.';
COMMENT ON COLUMN corpus.source_file.status IS 'found, read, empty or failed.';
COMMENT ON COLUMN corpus.source_file.error IS 'Why it failed or is empty.';

CREATE TABLE corpus.stream (
    stream_id UUID NOT NULL,
    source_id UUID NOT NULL,
    container VARCHAR NOT NULL,
    member VARCHAR,
    n_bytes BIGINT NOT NULL,
    sha256 BLOB NOT NULL,
    code_version VARCHAR NOT NULL
);
COMMENT ON TABLE corpus.stream IS 'One row a byte stream in a source file: the file itself, or a member after decompression.';
COMMENT ON COLUMN corpus.stream.stream_id IS 'Hash of source_id and member.';
COMMENT ON COLUMN corpus.stream.source_id IS 'The source file.';
COMMENT ON COLUMN corpus.stream.container IS 'file, or the container format.';
COMMENT ON COLUMN corpus.stream.member IS 'Name in the container; NULL for the file itself.';
COMMENT ON COLUMN corpus.stream.n_bytes IS 'Length of the stream.';
COMMENT ON COLUMN corpus.stream.sha256 IS 'Hash of the stream''s bytes.';
COMMENT ON COLUMN corpus.stream.code_version IS 'Version of the cleanser that examined it.';

CREATE TABLE corpus.document (
    document_id UUID NOT NULL,
    stream_id UUID NOT NULL,
    ordinal INTEGER NOT NULL,
    byte_start BIGINT NOT NULL,
    byte_end BIGINT NOT NULL,
    reader VARCHAR NOT NULL,
    reader_version VARCHAR NOT NULL,
    encoding VARCHAR NOT NULL,
    encoding_confidence REAL NOT NULL,
    encoding_evidence JSON NOT NULL,
    language VARCHAR NOT NULL,
    language_score REAL NOT NULL,
    n_characters BIGINT NOT NULL,
    title VARCHAR
);
COMMENT ON TABLE corpus.document IS 'One row a unit of text in a stream.';
COMMENT ON COLUMN corpus.document.document_id IS 'Hash of stream_id and byte range.';
COMMENT ON COLUMN corpus.document.stream_id IS 'The stream.';
COMMENT ON COLUMN corpus.document.ordinal IS 'Place in the stream, from 0.';
COMMENT ON COLUMN corpus.document.byte_start IS 'First byte in the stream.';
COMMENT ON COLUMN corpus.document.byte_end IS 'One past the last byte.';
COMMENT ON COLUMN corpus.document.reader IS 'Reader that found it.';
COMMENT ON COLUMN corpus.document.reader_version IS 'Version of the reader.';
COMMENT ON COLUMN corpus.document.encoding IS 'Encoding decided for its bytes, a Python codec name.';
COMMENT ON COLUMN corpus.document.encoding_confidence IS 'Confidence of that decision, 0 to 1.';
COMMENT ON COLUMN corpus.document.encoding_evidence IS 'JSON: what spoke for the encoding, the runners-up and flags.';
COMMENT ON COLUMN corpus.document.language IS 'ISO 639-1 code, und where undetermined.';
COMMENT ON COLUMN corpus.document.language_score IS 'Probability of the language, 0 to 1.';
COMMENT ON COLUMN corpus.document.n_characters IS 'Characters as decoded, before repair.';
COMMENT ON COLUMN corpus.document.title IS 'First short line or heading, at most 120 characters.';

CREATE TABLE corpus.chunk (
    chunk_id UUID NOT NULL,
    document_id UUID NOT NULL,
    chunking_id UUID NOT NULL,
    ordinal INTEGER NOT NULL,
    byte_start BIGINT NOT NULL,
    byte_end BIGINT NOT NULL,
    char_start BIGINT NOT NULL,
    char_end BIGINT NOT NULL,
    encoding VARCHAR NOT NULL,
    encoding_confidence REAL NOT NULL,
    encoding_evidence JSON NOT NULL,
    decoder_state VARCHAR,
    repair JSON NOT NULL,
    n_characters INTEGER NOT NULL,
    n_words INTEGER NOT NULL,
    n_bytes INTEGER NOT NULL,
    text_sha256 BLOB NOT NULL,
    text_file VARCHAR NOT NULL,
    text_row INTEGER NOT NULL,
    split VARCHAR NOT NULL,
    n_lines INTEGER NOT NULL,
    n_replaced INTEGER NOT NULL,
    mean_word_length REAL NOT NULL,
    alphabetic_word_share REAL NOT NULL,
    symbol_word_ratio REAL NOT NULL,
    stop_word_kinds SMALLINT NOT NULL,
    bullet_line_share REAL NOT NULL,
    ellipsis_line_share REAL NOT NULL,
    terminal_punctuation_line_share REAL NOT NULL,
    short_line_share REAL NOT NULL,
    duplicate_line_share REAL NOT NULL,
    duplicate_line_character_share REAL NOT NULL,
    letter_share REAL NOT NULL,
    digit_share REAL NOT NULL,
    uppercase_share REAL NOT NULL
);
COMMENT ON TABLE corpus.chunk IS 'One row a piece of a document: the unit of everything after.';
COMMENT ON COLUMN corpus.chunk.chunk_id IS 'Hash of stream_id, chunking_id and byte range.';
COMMENT ON COLUMN corpus.chunk.document_id IS 'The document.';
COMMENT ON COLUMN corpus.chunk.chunking_id IS 'Hash of the chunking parameters and the cutter''s version.';
COMMENT ON COLUMN corpus.chunk.ordinal IS 'Place in the document, from 0.';
COMMENT ON COLUMN corpus.chunk.byte_start IS 'First byte in the stream.';
COMMENT ON COLUMN corpus.chunk.byte_end IS 'One past the last byte.';
COMMENT ON COLUMN corpus.chunk.char_start IS 'First character in the document''s clean text.';
COMMENT ON COLUMN corpus.chunk.char_end IS 'One past the last character.';
COMMENT ON COLUMN corpus.chunk.encoding IS 'Encoding by which its bytes are decoded.';
COMMENT ON COLUMN corpus.chunk.encoding_confidence IS 'Confidence of the decision, 0 to 1.';
COMMENT ON COLUMN corpus.chunk.encoding_evidence IS 'JSON: what spoke for the encoding, the runners-up and flags.';
COMMENT ON COLUMN corpus.chunk.decoder_state IS 'State that a stateful decoder has at byte_start; NULL for stateless encodings.';
COMMENT ON COLUMN corpus.chunk.repair IS 'JSON: the replayable plan from decoded to stored text.';
COMMENT ON COLUMN corpus.chunk.n_characters IS 'Characters of the stored text.';
COMMENT ON COLUMN corpus.chunk.n_words IS 'Words separated by white space.';
COMMENT ON COLUMN corpus.chunk.n_bytes IS 'UTF-8 bytes of the stored text: what bits per byte counts.';
COMMENT ON COLUMN corpus.chunk.text_sha256 IS 'Hash of the stored text in UTF-8.';
COMMENT ON COLUMN corpus.chunk.text_file IS 'Name of the Parquet file under text/ that holds the text.';
COMMENT ON COLUMN corpus.chunk.text_row IS 'Row in that file, from 0.';
COMMENT ON COLUMN corpus.chunk.split IS 'train, validation, select, confirm or report.';
COMMENT ON COLUMN corpus.chunk.n_lines IS 'Lines that are not blank.';
COMMENT ON COLUMN corpus.chunk.n_replaced IS 'Characters that stand for bytes which the encoding does not define.';
COMMENT ON COLUMN corpus.chunk.mean_word_length IS 'Mean characters a word (Gopher).';
COMMENT ON COLUMN corpus.chunk.alphabetic_word_share IS 'Share of words with a letter (Gopher).';
COMMENT ON COLUMN corpus.chunk.symbol_word_ratio IS 'Hash signs and ellipses per word, the larger of the two (Gopher).';
COMMENT ON COLUMN corpus.chunk.stop_word_kinds IS 'How many of the, be, to, of, and, that, have, with occur (Gopher).';
COMMENT ON COLUMN corpus.chunk.bullet_line_share IS 'Share of lines that begin with a bullet (Gopher).';
COMMENT ON COLUMN corpus.chunk.ellipsis_line_share IS 'Share of lines that end with an ellipsis (Gopher).';
COMMENT ON COLUMN corpus.chunk.terminal_punctuation_line_share IS 'Share of lines that end with terminal punctuation (FineWeb).';
COMMENT ON COLUMN corpus.chunk.short_line_share IS 'Share of lines of at most 30 characters (FineWeb).';
COMMENT ON COLUMN corpus.chunk.duplicate_line_share IS 'Share of lines that repeat an earlier line (Gopher).';
COMMENT ON COLUMN corpus.chunk.duplicate_line_character_share IS 'Share of characters in lines that repeat an earlier line (Gopher).';
COMMENT ON COLUMN corpus.chunk.letter_share IS 'Share of characters that are letters.';
COMMENT ON COLUMN corpus.chunk.digit_share IS 'Share of characters that are digits.';
COMMENT ON COLUMN corpus.chunk.uppercase_share IS 'Share of letters that are upper case.';

CREATE TABLE corpus.dropped (
    stream_id UUID NOT NULL,
    chunking_id UUID,
    byte_start BIGINT NOT NULL,
    byte_end BIGINT NOT NULL,
    reason VARCHAR NOT NULL
);
COMMENT ON TABLE corpus.dropped IS 'One row a byte range that became no chunk.';
COMMENT ON COLUMN corpus.dropped.stream_id IS 'The stream.';
COMMENT ON COLUMN corpus.dropped.chunking_id IS 'The chunking that left it out; NULL where it lies outside every document.';
COMMENT ON COLUMN corpus.dropped.byte_start IS 'First byte in the stream.';
COMMENT ON COLUMN corpus.dropped.byte_end IS 'One past the last byte.';
COMMENT ON COLUMN corpus.dropped.reason IS 'Why: byte_order_mark, binary, blank and so on.';

CREATE TABLE corpus.signature (
    chunk_id UUID NOT NULL,
    sketch_id UUID NOT NULL,
    index_file VARCHAR NOT NULL,
    compared BOOLEAN NOT NULL
);
COMMENT ON TABLE corpus.signature IS 'One row a chunk whose MinHash bands lie in index/.';
COMMENT ON COLUMN corpus.signature.chunk_id IS 'The chunk.';
COMMENT ON COLUMN corpus.signature.sketch_id IS 'Hash of the sketch''s parameters and version.';
COMMENT ON COLUMN corpus.signature.index_file IS 'Name of the Parquet file under index/ that holds its bands.';
COMMENT ON COLUMN corpus.signature.compared IS 'Its verified pairs with every other compared chunk of its chunking are stored.';

CREATE TABLE corpus.duplicate_pair (
    chunk_a UUID NOT NULL,
    chunk_b UUID NOT NULL,
    jaccard REAL NOT NULL,
    rule_version VARCHAR NOT NULL
);
COMMENT ON TABLE corpus.duplicate_pair IS 'One row a verified pair of near-duplicates, chunk_a < chunk_b.';
COMMENT ON COLUMN corpus.duplicate_pair.chunk_a IS 'The smaller chunk_id.';
COMMENT ON COLUMN corpus.duplicate_pair.chunk_b IS 'The larger chunk_id.';
COMMENT ON COLUMN corpus.duplicate_pair.jaccard IS 'True Jaccard similarity of their shingles.';
COMMENT ON COLUMN corpus.duplicate_pair.rule_version IS 'Sketch, shingle and verification rule.';

CREATE TABLE corpus.duplicate_cluster (
    chunk_id UUID NOT NULL,
    cluster_id UUID NOT NULL,
    threshold REAL NOT NULL,
    jaccard REAL NOT NULL,
    rule_version VARCHAR NOT NULL
);
COMMENT ON TABLE corpus.duplicate_cluster IS 'One row a member of a cluster of two or more.';
COMMENT ON COLUMN corpus.duplicate_cluster.chunk_id IS 'The chunk.';
COMMENT ON COLUMN corpus.duplicate_cluster.cluster_id IS 'The chunk_id of the cluster''s centre, to which each member has at most two verified links.';
COMMENT ON COLUMN corpus.duplicate_cluster.threshold IS 'Smallest Jaccard similarity of a link.';
COMMENT ON COLUMN corpus.duplicate_cluster.jaccard IS 'Similarity to the centre; 1 for the same text.';
COMMENT ON COLUMN corpus.duplicate_cluster.rule_version IS 'Sketch, shingle, verification and clustering rule.';

CREATE TABLE corpus.reference (
    reference_id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    sha256 BLOB NOT NULL,
    definition JSON NOT NULL,
    pinned_at TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE corpus.reference IS 'One row a pinned reference artefact: trained once on a stored sample, an input ever after.';
COMMENT ON COLUMN corpus.reference.reference_id IS 'Hash of kind, definition and content.';
COMMENT ON COLUMN corpus.reference.kind IS 'ngram or tokenizer.';
COMMENT ON COLUMN corpus.reference.path IS 'Folder below references/.';
COMMENT ON COLUMN corpus.reference.sha256 IS 'Hash of its content.';
COMMENT ON COLUMN corpus.reference.definition IS 'JSON: the parameters that it was pinned for.';
COMMENT ON COLUMN corpus.reference.pinned_at IS 'When it was pinned.';

CREATE TABLE corpus.reference_sample (
    reference_id UUID NOT NULL,
    chunk_id UUID NOT NULL,
    fold SMALLINT NOT NULL
);
COMMENT ON TABLE corpus.reference_sample IS 'One row a chunk that a reference was trained on.';
COMMENT ON COLUMN corpus.reference_sample.reference_id IS 'The reference.';
COMMENT ON COLUMN corpus.reference_sample.chunk_id IS 'The chunk.';
COMMENT ON COLUMN corpus.reference_sample.fold IS 'Fold that the chunk belongs to: the model of that number has not seen it.';

CREATE TABLE corpus.perplexity (
    chunk_id UUID NOT NULL,
    reference_id UUID NOT NULL,
    fold SMALLINT NOT NULL,
    bits_per_byte REAL NOT NULL,
    perplexity REAL NOT NULL,
    n_tokens INTEGER NOT NULL
);
COMMENT ON TABLE corpus.perplexity IS 'One row a chunk''s score under a reference.';
COMMENT ON COLUMN corpus.perplexity.chunk_id IS 'The chunk.';
COMMENT ON COLUMN corpus.perplexity.reference_id IS 'The reference.';
COMMENT ON COLUMN corpus.perplexity.fold IS 'The model that scored it: one that saw neither the chunk nor its duplicates.';
COMMENT ON COLUMN corpus.perplexity.bits_per_byte IS 'Total bits / UTF-8 bytes of the stored text.';
COMMENT ON COLUMN corpus.perplexity.perplexity IS 'exp(total nats / n_tokens).';
COMMENT ON COLUMN corpus.perplexity.n_tokens IS 'Tokens predicted.';

CREATE TABLE corpus.recipe (
    recipe VARCHAR NOT NULL,
    sha256 BLOB NOT NULL,
    chunking_id UUID NOT NULL,
    reference_id UUID,
    definition JSON NOT NULL
);
COMMENT ON TABLE corpus.recipe IS 'One row a named choice, as last built.';
COMMENT ON COLUMN corpus.recipe.recipe IS 'Name.';
COMMENT ON COLUMN corpus.recipe.sha256 IS 'Hash of the definition''s canonical JSON.';
COMMENT ON COLUMN corpus.recipe.chunking_id IS 'The chunking that it asks for.';
COMMENT ON COLUMN corpus.recipe.reference_id IS 'The perplexity reference pinned for it.';
COMMENT ON COLUMN corpus.recipe.definition IS 'JSON: the whole recipe.';

CREATE TABLE corpus.forgotten (
    sha256 BLOB NOT NULL,
    scope VARCHAR NOT NULL,
    reason VARCHAR,
    "at" TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE corpus.forgotten IS 'One row a content that must never come back.';
COMMENT ON COLUMN corpus.forgotten.sha256 IS 'Hash of the content.';
COMMENT ON COLUMN corpus.forgotten.scope IS 'file or document: what the hash is of.';
COMMENT ON COLUMN corpus.forgotten.reason IS 'Why, in a person''s words.';
COMMENT ON COLUMN corpus.forgotten."at" IS 'When.';

CREATE TABLE tokens.tokenizer (
    tokenizer_id UUID NOT NULL,
    sha256 BLOB NOT NULL,
    vocab_size INTEGER NOT NULL,
    recipe_sha256 BLOB NOT NULL,
    path VARCHAR NOT NULL
);
COMMENT ON TABLE tokens.tokenizer IS 'One row a pinned BPE tokenizer.';
COMMENT ON COLUMN tokens.tokenizer.tokenizer_id IS 'Hash of the tokenizer file.';
COMMENT ON COLUMN tokens.tokenizer.sha256 IS 'SHA-256 of tokenizer.json.';
COMMENT ON COLUMN tokens.tokenizer.vocab_size IS 'Number of token ids.';
COMMENT ON COLUMN tokens.tokenizer.recipe_sha256 IS 'The recipe on whose training chunks it was trained.';
COMMENT ON COLUMN tokens.tokenizer.path IS 'Folder below tokens/.';

CREATE TABLE tokens.shard (
    shard_id UUID NOT NULL,
    tokenizer_id UUID NOT NULL,
    recipe VARCHAR NOT NULL,
    split VARCHAR NOT NULL,
    number SMALLINT NOT NULL,
    path VARCHAR NOT NULL,
    n_tokens BIGINT NOT NULL,
    n_chunks BIGINT NOT NULL,
    n_bytes BIGINT NOT NULL,
    sha256 BLOB NOT NULL
);
COMMENT ON TABLE tokens.shard IS 'One row a current shard: a flat file of little-endian uint16 token ids.';
COMMENT ON COLUMN tokens.shard.shard_id IS 'Hash of the shard''s inputs.';
COMMENT ON COLUMN tokens.shard.tokenizer_id IS 'The tokenizer.';
COMMENT ON COLUMN tokens.shard.recipe IS 'The recipe that chose its chunks.';
COMMENT ON COLUMN tokens.shard.split IS 'train, validation, select, confirm or report.';
COMMENT ON COLUMN tokens.shard.number IS 'Which shard of its split.';
COMMENT ON COLUMN tokens.shard.path IS 'File below tokens/.';
COMMENT ON COLUMN tokens.shard.n_tokens IS 'Token ids in the file.';
COMMENT ON COLUMN tokens.shard.n_chunks IS 'Chunks in the file.';
COMMENT ON COLUMN tokens.shard.n_bytes IS 'UTF-8 bytes of the clean text that the tokens stand for.';
COMMENT ON COLUMN tokens.shard.sha256 IS 'Hash of the file.';

CREATE TABLE tokens.shard_chunk (
    shard_id UUID NOT NULL,
    chunk_id UUID NOT NULL,
    token_start BIGINT NOT NULL,
    token_end BIGINT NOT NULL
);
COMMENT ON TABLE tokens.shard_chunk IS 'One row a chunk''s token range in a shard; kept for past shards, so that old models stay traceable.';
COMMENT ON COLUMN tokens.shard_chunk.shard_id IS 'The shard.';
COMMENT ON COLUMN tokens.shard_chunk.chunk_id IS 'The chunk.';
COMMENT ON COLUMN tokens.shard_chunk.token_start IS 'First token, the start-of-chunk marker included.';
COMMENT ON COLUMN tokens.shard_chunk.token_end IS 'One past the last token.';

CREATE TABLE models.checkpoint (
    checkpoint_id UUID NOT NULL,
    experiment VARCHAR NOT NULL,
    recipe VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    replicate INTEGER,
    step INTEGER NOT NULL,
    preset VARCHAR NOT NULL,
    n_parameters BIGINT NOT NULL,
    sha256 BLOB NOT NULL,
    bits_per_byte DOUBLE NOT NULL,
    seed BIGINT NOT NULL,
    alias VARCHAR,
    path VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE models.checkpoint IS 'One row a saved model.';
COMMENT ON COLUMN models.checkpoint.checkpoint_id IS 'Hash of experiment, kind, replicate and content.';
COMMENT ON COLUMN models.checkpoint.experiment IS 'Name of the experiment: a hash of everything that went into it.';
COMMENT ON COLUMN models.checkpoint.recipe IS 'The recipe whose shards it was trained on.';
COMMENT ON COLUMN models.checkpoint.kind IS 'trunk, micromodel or mixed_model.';
COMMENT ON COLUMN models.checkpoint.replicate IS 'Number of the bootstrap replicate; NULL for a trunk or a mix.';
COMMENT ON COLUMN models.checkpoint.step IS 'Training steps taken.';
COMMENT ON COLUMN models.checkpoint.preset IS 'Shape of the model.';
COMMENT ON COLUMN models.checkpoint.n_parameters IS 'Trainable parameters.';
COMMENT ON COLUMN models.checkpoint.sha256 IS 'Hash of the weights, or of the list of members of an ensemble.';
COMMENT ON COLUMN models.checkpoint.bits_per_byte IS 'On the validation split; for a mix on the select split.';
COMMENT ON COLUMN models.checkpoint.seed IS 'Seed of initialisation and order.';
COMMENT ON COLUMN models.checkpoint.alias IS 'promoted for the model in use.';
COMMENT ON COLUMN models.checkpoint.path IS 'Folder below models/.';
COMMENT ON COLUMN models.checkpoint.created_at IS 'When it was registered.';

CREATE TABLE models.checkpoint_parent (
    checkpoint_id UUID NOT NULL,
    parent_id UUID NOT NULL,
    relation VARCHAR NOT NULL,
    weight DOUBLE NOT NULL
);
COMMENT ON TABLE models.checkpoint_parent IS 'One row a model that another was made of.';
COMMENT ON COLUMN models.checkpoint_parent.checkpoint_id IS 'The model made.';
COMMENT ON COLUMN models.checkpoint_parent.parent_id IS 'What it was made of.';
COMMENT ON COLUMN models.checkpoint_parent.relation IS 'resume, mix, distil, upscale or finetune.';
COMMENT ON COLUMN models.checkpoint_parent.weight IS 'Its share; 1 unless it is a mix.';

CREATE TABLE models.checkpoint_range (
    checkpoint_id UUID NOT NULL,
    shard_id UUID NOT NULL,
    token_start BIGINT NOT NULL,
    token_end BIGINT NOT NULL,
    times INTEGER NOT NULL
);
COMMENT ON TABLE models.checkpoint_range IS 'One row a token range that a model was really trained on (its parents'' ranges are theirs).';
COMMENT ON COLUMN models.checkpoint_range.checkpoint_id IS 'The model.';
COMMENT ON COLUMN models.checkpoint_range.shard_id IS 'The shard.';
COMMENT ON COLUMN models.checkpoint_range.token_start IS 'First token.';
COMMENT ON COLUMN models.checkpoint_range.token_end IS 'One past the last token.';
COMMENT ON COLUMN models.checkpoint_range.times IS 'How often.';

CREATE TABLE models.training_metric (
    experiment VARCHAR NOT NULL,
    replicate INTEGER,
    step INTEGER NOT NULL,
    n_tokens BIGINT NOT NULL,
    loss DOUBLE NOT NULL,
    bits_per_byte DOUBLE,
    learning_rate DOUBLE NOT NULL,
    tokens_per_second DOUBLE NOT NULL
);
COMMENT ON TABLE models.training_metric IS 'One row a logged training step.';
COMMENT ON COLUMN models.training_metric.experiment IS 'Name of the experiment.';
COMMENT ON COLUMN models.training_metric.replicate IS 'Number of the replicate; NULL for the trunk.';
COMMENT ON COLUMN models.training_metric.step IS 'Training step.';
COMMENT ON COLUMN models.training_metric.n_tokens IS 'Tokens seen so far.';
COMMENT ON COLUMN models.training_metric.loss IS 'Mean training loss since the last row, nats a token.';
COMMENT ON COLUMN models.training_metric.bits_per_byte IS 'On the validation split, where it was measured at this step.';
COMMENT ON COLUMN models.training_metric.learning_rate IS 'Learning rate of the matrices.';
COMMENT ON COLUMN models.training_metric.tokens_per_second IS 'Tokens a second since the last row.';

CREATE TABLE reports.evaluation (
    checkpoint_id UUID,
    recipe VARCHAR NOT NULL,
    experiment VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    suite VARCHAR NOT NULL,
    item_set VARCHAR NOT NULL,
    metric VARCHAR NOT NULL,
    value DOUBLE NOT NULL,
    n_items BIGINT NOT NULL,
    ci_low DOUBLE,
    ci_high DOUBLE
);
COMMENT ON TABLE reports.evaluation IS 'One row a metric of a model on a suite.';
COMMENT ON COLUMN reports.evaluation.checkpoint_id IS 'The model; NULL for a baseline that is no checkpoint.';
COMMENT ON COLUMN reports.evaluation.recipe IS 'The recipe whose splits are the suite.';
COMMENT ON COLUMN reports.evaluation.experiment IS 'The experiment.';
COMMENT ON COLUMN reports.evaluation.model IS 'Readable name: micromodel 0, mixed model, unigram, 5-gram.';
COMMENT ON COLUMN reports.evaluation.suite IS 'bits_per_byte, for instance.';
COMMENT ON COLUMN reports.evaluation.item_set IS 'What it was measured on: a split and a corpus, or all.';
COMMENT ON COLUMN reports.evaluation.metric IS 'What was measured.';
COMMENT ON COLUMN reports.evaluation.value IS 'The value.';
COMMENT ON COLUMN reports.evaluation.n_items IS 'Documents measured.';
COMMENT ON COLUMN reports.evaluation.ci_low IS 'Lower end of the 95 % interval over documents.';
COMMENT ON COLUMN reports.evaluation.ci_high IS 'Upper end.';

-- u in [0, 1): the same number as warehouse.identity.uniform_draw.
CREATE MACRO meta.uniform_draw(subject, seed) AS
    ('0x' || left(sha256(subject || ':' || seed), 13))::UBIGINT / 4503599627370496.0;
