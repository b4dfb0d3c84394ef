-- The newest population of micromodels whose training text was cut by a chunking; one of the recipe's own goes before.
WITH
population AS (
    SELECT
        experiment,
        bool_or(recipe = $recipe) AS is_own,
        max(created_at) AS created_at
    FROM models.checkpoint
    WHERE kind = 'micromodel'
    GROUP BY experiment
    -- One that saw what was forgotten since is no reference for anything.
    HAVING NOT bool_or(checkpoint_id IN (SELECT checkpoint_id FROM models.stale_checkpoint))
),

trained_shard AS (
    SELECT DISTINCT
        checkpoint.experiment,
        checkpoint_range.shard_id
    FROM models.checkpoint AS checkpoint
    INNER JOIN models.checkpoint_range AS checkpoint_range ON checkpoint.checkpoint_id = checkpoint_range.checkpoint_id
),

fitting AS (
    SELECT DISTINCT trained_shard.experiment
    FROM trained_shard
    INNER JOIN tokens.shard_chunk AS shard_chunk ON trained_shard.shard_id = shard_chunk.shard_id
    INNER JOIN corpus.chunk AS chunk ON shard_chunk.chunk_id = chunk.chunk_id
    WHERE chunk.chunking_id = $chunking_id
),

newest AS (
    SELECT population.experiment
    FROM population
    INNER JOIN fitting ON population.experiment = fitting.experiment
    ORDER BY population.is_own DESC, population.created_at DESC, population.experiment
    LIMIT 1
)

SELECT
    checkpoint.checkpoint_id,
    checkpoint.replicate,
    checkpoint.path
FROM models.checkpoint AS checkpoint
INNER JOIN newest ON checkpoint.experiment = newest.experiment
WHERE checkpoint.kind = 'micromodel'
ORDER BY checkpoint.replicate, checkpoint.checkpoint_id;
