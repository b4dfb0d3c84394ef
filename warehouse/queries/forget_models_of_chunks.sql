-- Models that saw chunks which would be forgotten (tables of forget_resolve.sql), themselves or through an ancestor.
WITH trained AS (
    SELECT checkpoint_range.checkpoint_id
    FROM models.checkpoint_range AS checkpoint_range
    INNER JOIN tokens.shard_chunk AS shard_chunk
        ON checkpoint_range.shard_id = shard_chunk.shard_id
        AND checkpoint_range.token_start < shard_chunk.token_end
        AND checkpoint_range.token_end > shard_chunk.token_start
    WHERE shard_chunk.chunk_id IN (SELECT chunk_id FROM gone_chunk)
    UNION
    SELECT checkpoint_id
    FROM models.checkpoint_source
    WHERE source_id IN (SELECT source_id FROM gone_source)
)

SELECT DISTINCT
    checkpoint.kind || ' ' || checkpoint.path || if(checkpoint.alias IS NULL, '', ' (' || checkpoint.alias || ')') AS model
FROM lineage.model_ancestor AS ancestor
INNER JOIN trained ON ancestor.ancestor_id = trained.checkpoint_id
INNER JOIN models.checkpoint AS checkpoint ON ancestor.checkpoint_id = checkpoint.checkpoint_id
ORDER BY model;
