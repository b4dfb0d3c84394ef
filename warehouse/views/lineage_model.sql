-- From a model to what it was trained on: chunks, files, licences.

CREATE OR REPLACE VIEW lineage.model_ancestor AS
WITH RECURSIVE ancestor (checkpoint_id, ancestor_id) AS (
    SELECT checkpoint_id, checkpoint_id FROM models.checkpoint
    UNION
    SELECT ancestor.checkpoint_id, checkpoint_parent.parent_id
    FROM ancestor
    JOIN models.checkpoint_parent ON checkpoint_parent.checkpoint_id = ancestor.ancestor_id
)
SELECT checkpoint_id, ancestor_id FROM ancestor;
COMMENT ON VIEW lineage.model_ancestor IS 'One row a model and a model that it was made of, through any number of steps; each model is its own first ancestor.';
COMMENT ON COLUMN lineage.model_ancestor.checkpoint_id IS 'The model.';
COMMENT ON COLUMN lineage.model_ancestor.ancestor_id IS 'The model itself, a parent, a parent''s parent and so on.';

-- Ranges and chunks are both cut at multiples of 8,192 tokens, so that the join has an equality to hash on: a join
-- on shard and overlap alone compares every range of a shard with every chunk of it.
-- Where both reach over a cut, the block of the overlap's first token counts, so that no overlap is found twice.
CREATE OR REPLACE VIEW lineage.model_chunk AS
WITH trained AS (
    SELECT
        checkpoint_id, shard_id, token_start, token_end, times,
        unnest(range(token_start // 8192, (token_end - 1) // 8192 + 1)) AS block
    FROM models.checkpoint_range
),
stored AS (
    SELECT
        shard_id, chunk_id, token_start, token_end,
        unnest(range(token_start // 8192, (token_end - 1) // 8192 + 1)) AS block
    FROM tokens.shard_chunk
)
SELECT
    model_ancestor.checkpoint_id,
    model_ancestor.ancestor_id AS trained_id,
    stored.shard_id,
    stored.chunk_id,
    greatest(trained.token_start, stored.token_start) AS token_start,
    least(trained.token_end, stored.token_end) AS token_end,
    trained.times
FROM lineage.model_ancestor
JOIN trained ON trained.checkpoint_id = model_ancestor.ancestor_id
JOIN stored
    ON stored.shard_id = trained.shard_id
    AND stored.block = trained.block
    AND stored.token_start < trained.token_end
    AND trained.token_start < stored.token_end
    AND greatest(trained.token_start, stored.token_start) // 8192 = trained.block;
COMMENT ON VIEW lineage.model_chunk IS 'One row a stretch of a chunk that a model, or a model that it was made of, was trained on.';
COMMENT ON COLUMN lineage.model_chunk.checkpoint_id IS 'The model.';
COMMENT ON COLUMN lineage.model_chunk.trained_id IS 'The model that was trained on it: the model itself or an ancestor.';
COMMENT ON COLUMN lineage.model_chunk.shard_id IS 'The shard that it was read from, which may be a past one.';
COMMENT ON COLUMN lineage.model_chunk.chunk_id IS 'The chunk; its row is gone from corpus.chunk where its source is no longer held.';
COMMENT ON COLUMN lineage.model_chunk.token_start IS 'First token in the shard.';
COMMENT ON COLUMN lineage.model_chunk.token_end IS 'One past the last token.';
COMMENT ON COLUMN lineage.model_chunk.times IS 'How often it was trained on.';

CREATE OR REPLACE VIEW lineage.model_source AS
SELECT
    checkpoint.checkpoint_id,
    checkpoint.experiment,
    checkpoint.kind,
    checkpoint.replicate,
    checkpoint.alias,
    checkpoint_source.source_id,
    source_file.corpus,
    coalesce(source_file.path, 'source no longer held') AS path,
    coalesce(source_file.licence, 'source no longer held') AS licence,
    checkpoint_source.n_chunks,
    checkpoint_source.n_tokens
FROM models.checkpoint_source AS checkpoint_source
JOIN models.checkpoint AS checkpoint ON checkpoint.checkpoint_id = checkpoint_source.checkpoint_id
LEFT JOIN corpus.source_file AS source_file ON source_file.source_id = checkpoint_source.source_id;
COMMENT ON VIEW lineage.model_source IS 'One row a model and a source file that it, or a model that it was made of, was trained on.';
COMMENT ON COLUMN lineage.model_source.checkpoint_id IS 'The model.';
COMMENT ON COLUMN lineage.model_source.experiment IS 'Its experiment.';
COMMENT ON COLUMN lineage.model_source.kind IS 'trunk, micromodel or mixed_model.';
COMMENT ON COLUMN lineage.model_source.replicate IS 'Number of the bootstrap replicate; NULL for a trunk or a mix.';
COMMENT ON COLUMN lineage.model_source.alias IS 'promoted for the model in use.';
COMMENT ON COLUMN lineage.model_source.source_id IS 'The source file; NULL where the database no longer holds it.';
COMMENT ON COLUMN lineage.model_source.corpus IS 'Name of the corpus; NULL where the source is no longer held.';
COMMENT ON COLUMN lineage.model_source.path IS 'Path of the file, or: source no longer held.';
COMMENT ON COLUMN lineage.model_source.licence IS 'SPDX expression of the file, or: source no longer held.';
COMMENT ON COLUMN lineage.model_source.n_chunks IS 'Chunks of the file that were trained on, whole or in part.';
COMMENT ON COLUMN lineage.model_source.n_tokens IS 'Tokens of the file that were trained on, repetitions counted.';

CREATE OR REPLACE VIEW lineage.model_licence AS
SELECT
    checkpoint_id,
    licence,
    count(*) AS n_files,
    sum(n_chunks)::BIGINT AS n_chunks,
    sum(n_tokens)::BIGINT AS n_tokens
FROM lineage.model_source
GROUP BY checkpoint_id, licence;
COMMENT ON VIEW lineage.model_licence IS 'One row a model and a licence under which something stood that it was trained on.';
COMMENT ON COLUMN lineage.model_licence.checkpoint_id IS 'The model.';
COMMENT ON COLUMN lineage.model_licence.licence IS 'SPDX expression, or: source no longer held.';
COMMENT ON COLUMN lineage.model_licence.n_files IS 'Source files; those no longer held count as one.';
COMMENT ON COLUMN lineage.model_licence.n_chunks IS 'Chunks that were trained on, whole or in part.';
COMMENT ON COLUMN lineage.model_licence.n_tokens IS 'Tokens that were trained on, repetitions counted.';
