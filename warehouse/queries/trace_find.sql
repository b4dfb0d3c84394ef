-- What an identifier may mean. $low and $high enclose the ids that begin with it (NULL where it cannot be one);
-- $name is the identifier as given. Exact matches come before beginnings.
WITH found AS (
    SELECT 'checkpoint' AS kind, checkpoint_id::VARCHAR AS identifier, 2 AS place
    FROM models.checkpoint WHERE checkpoint_id BETWEEN $low AND $high
    UNION
    SELECT 'checkpoint', checkpoint_id::VARCHAR, 1 FROM models.checkpoint WHERE alias = $name
    UNION
    SELECT 'checkpoint', checkpoint_id::VARCHAR, 1
    FROM reports.evaluation WHERE model = $name AND checkpoint_id IS NOT NULL
    UNION
    SELECT 'evaluation', suite || ': ' || item_set, 1
    FROM reports.evaluation WHERE suite || ': ' || item_set = $name AND checkpoint_id IS NOT NULL
    UNION
    SELECT 'experiment', experiment, if(experiment = $name, 1, 2)
    FROM models.checkpoint WHERE starts_with(experiment, $name)
    UNION
    SELECT 'chunk', chunk_id::VARCHAR, 2 FROM corpus.chunk WHERE chunk_id BETWEEN $low AND $high
    UNION
    SELECT 'document', document_id::VARCHAR, 2 FROM corpus.document WHERE document_id BETWEEN $low AND $high
    UNION
    SELECT 'source_file', source_id::VARCHAR, 2 FROM corpus.source_file WHERE source_id BETWEEN $low AND $high
    UNION
    SELECT 'source_file', source_id::VARCHAR, 2 FROM corpus.stream WHERE stream_id BETWEEN $low AND $high
    UNION
    SELECT 'source_file', source_id::VARCHAR, if(retired_at IS NULL, 1, 3)
    FROM corpus.source_file WHERE path = $name
    UNION
    SELECT 'source_file', source_id::VARCHAR, if(retired_at IS NULL, 2, 3)
    FROM corpus.source_file WHERE ends_with(path, '/' || $name)
    UNION
    SELECT 'shard', shard_id::VARCHAR, 1 FROM tokens.shard_origin WHERE path = $name OR parse_filename(path, true) = parse_filename($name, true)
    UNION
    SELECT 'shard', shard_id::VARCHAR, 2 FROM tokens.shard_origin WHERE shard_id BETWEEN $low AND $high
    UNION
    SELECT 'shard', shard_id::VARCHAR, 2 FROM tokens.shard_chunk WHERE shard_id BETWEEN $low AND $high
)
SELECT DISTINCT kind, identifier
FROM found
WHERE place = (SELECT min(place) FROM found)
ORDER BY kind, identifier
LIMIT 10;
