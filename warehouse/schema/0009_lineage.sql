-- What stays known of models and shards when their inputs are replaced: sources by model, and where past shards came from.

CREATE TABLE models.checkpoint_source (
    checkpoint_id UUID NOT NULL,
    source_id UUID,
    n_chunks BIGINT NOT NULL,
    n_tokens BIGINT NOT NULL
);
COMMENT ON TABLE models.checkpoint_source IS 'One row a model and a source file that it, or a model that it was made of, was trained on; counted when the model is recorded.';
COMMENT ON COLUMN models.checkpoint_source.checkpoint_id IS 'The model.';
COMMENT ON COLUMN models.checkpoint_source.source_id IS 'The source file; NULL for chunks of which the database held no file any more.';
COMMENT ON COLUMN models.checkpoint_source.n_chunks IS 'Chunks of the file that were trained on, whole or in part.';
COMMENT ON COLUMN models.checkpoint_source.n_tokens IS 'Tokens of the file that were trained on, repetitions counted.';

CREATE TABLE tokens.shard_origin (
    shard_id UUID NOT NULL,
    tokenizer_id UUID NOT NULL,
    recipe VARCHAR NOT NULL,
    split VARCHAR NOT NULL,
    number SMALLINT NOT NULL,
    path VARCHAR NOT NULL,
    n_tokens BIGINT NOT NULL,
    sha256 BLOB NOT NULL,
    masked VARCHAR [] NOT NULL
);
COMMENT ON TABLE tokens.shard_origin IS 'One row a shard, current or past: what its tokens were made with; kept, so that old models stay traceable.';
COMMENT ON COLUMN tokens.shard_origin.shard_id IS 'Hash of the shard''s inputs.';
COMMENT ON COLUMN tokens.shard_origin.tokenizer_id IS 'The tokenizer.';
COMMENT ON COLUMN tokens.shard_origin.recipe IS 'The recipe that chose its chunks.';
COMMENT ON COLUMN tokens.shard_origin.split IS 'train, validation, select, confirm or report.';
COMMENT ON COLUMN tokens.shard_origin.number IS 'Which shard of its split.';
COMMENT ON COLUMN tokens.shard_origin.path IS 'File below tokens/; a past shard''s is removed.';
COMMENT ON COLUMN tokens.shard_origin.n_tokens IS 'Token ids in the file.';
COMMENT ON COLUMN tokens.shard_origin.sha256 IS 'Hash of the file.';
COMMENT ON COLUMN tokens.shard_origin.masked IS 'Kinds of private data that were masked in its text.';

-- What homes hold already. The same counts as queries/record_model_sources.sql makes; the views are not there yet.
INSERT INTO tokens.shard_origin
SELECT
    shard.shard_id,
    shard.tokenizer_id,
    shard.recipe,
    shard.split,
    shard.number,
    shard.path,
    shard.n_tokens,
    shard.sha256,
    coalesce(from_json(recipe.definition -> '$.privacy.mask', '["VARCHAR"]'), [])
FROM tokens.shard AS shard
LEFT JOIN corpus.recipe AS recipe ON shard.recipe = recipe.recipe;

INSERT INTO models.checkpoint_source
WITH RECURSIVE
ancestor (checkpoint_id, ancestor_id) AS (
    SELECT
        checkpoint_id,
        checkpoint_id
    FROM models.checkpoint
    UNION
    SELECT
        ancestor.checkpoint_id,
        parent.parent_id
    FROM ancestor
    INNER JOIN models.checkpoint_parent AS parent ON ancestor.ancestor_id = parent.checkpoint_id
),

trained AS (
    SELECT
        *,
        unnest(range(token_start // 8192, (token_end - 1) // 8192 + 1)) AS block
    FROM models.checkpoint_range
),

stored AS (
    SELECT
        *,
        unnest(range(token_start // 8192, (token_end - 1) // 8192 + 1)) AS block
    FROM tokens.shard_chunk
)

SELECT
    ancestor.checkpoint_id,
    stream.source_id,
    count(DISTINCT stored.chunk_id),
    sum(
        (least(trained.token_end, stored.token_end) - greatest(trained.token_start, stored.token_start)) * trained.times
    )
FROM ancestor
INNER JOIN trained ON ancestor.ancestor_id = trained.checkpoint_id
INNER JOIN stored
    ON
        trained.shard_id = stored.shard_id
        AND trained.block = stored.block
        AND stored.token_start < trained.token_end
        AND trained.token_start < stored.token_end
        AND greatest(trained.token_start, stored.token_start) // 8192 = trained.block
LEFT JOIN corpus.chunk AS chunk ON stored.chunk_id = chunk.chunk_id
LEFT JOIN corpus.document AS document ON chunk.document_id = document.document_id
LEFT JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
GROUP BY ancestor.checkpoint_id, stream.source_id;
