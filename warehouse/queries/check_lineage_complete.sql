-- Every token that the promoted model was trained on must lead to a chunk, a file and a licence.
WITH model AS (
    SELECT checkpoint_id FROM models.checkpoint WHERE alias = 'promoted' AND recipe = $recipe
),

trained AS (
    SELECT
        model.checkpoint_id,
        coalesce(sum((checkpoint_range.token_end - checkpoint_range.token_start) * checkpoint_range.times), 0) AS n_tokens
    FROM model
    INNER JOIN lineage.model_ancestor AS ancestor ON model.checkpoint_id = ancestor.checkpoint_id
    LEFT JOIN models.checkpoint_range AS checkpoint_range ON ancestor.ancestor_id = checkpoint_range.checkpoint_id
    GROUP BY model.checkpoint_id
),

traced AS (
    SELECT
        model_chunk.checkpoint_id,
        sum((model_chunk.token_end - model_chunk.token_start) * model_chunk.times) AS n_tokens
    FROM model
    INNER JOIN lineage.model_chunk AS model_chunk ON model.checkpoint_id = model_chunk.checkpoint_id
    INNER JOIN lineage.chunk_source AS chunk_source ON model_chunk.chunk_id = chunk_source.chunk_id
    WHERE chunk_source.licence <> ''
    GROUP BY model_chunk.checkpoint_id
),

violation AS (
    SELECT trained.checkpoint_id, trained.n_tokens, coalesce(traced.n_tokens, 0) AS n_traced
    FROM trained
    LEFT JOIN traced ON trained.checkpoint_id = traced.checkpoint_id
    WHERE trained.n_tokens = 0 OR trained.n_tokens IS DISTINCT FROM traced.n_tokens
)

SELECT
    (SELECT coalesce(sum(n_tokens), 0)::BIGINT FROM trained) AS n_examined,
    count(*) AS n_violations,
    coalesce(min(format('model {}: {} of {} tokens', checkpoint_id, n_traced, n_tokens), 5), []) AS examples
FROM violation;
