-- Whatever a recipe keeps must come from a file with a licence that the recipe allows; an empty list allows all.
WITH kept AS (
    SELECT training_chunk.chunk_id, chunk_source.licence, chunk_source.path
    FROM corpus.training_chunk AS training_chunk
    LEFT JOIN lineage.chunk_source AS chunk_source ON training_chunk.chunk_id = chunk_source.chunk_id
    WHERE training_chunk.recipe = $recipe AND training_chunk.kept
),

rule AS (
    SELECT from_json(definition -> '$.licences.allowed', '["VARCHAR"]') AS allowed
    FROM corpus.recipe
    WHERE recipe = $recipe
),

violation AS (
    SELECT DISTINCT kept.path, kept.licence
    FROM kept
    CROSS JOIN rule
    WHERE coalesce(kept.licence, '') = '' OR (len(rule.allowed) > 0 AND NOT list_contains(rule.allowed, kept.licence))
)

SELECT
    (SELECT count(*) FROM kept) AS n_examined,
    count(*) AS n_violations,
    coalesce(min(format('{}: {}', coalesce(path, 'no file'), coalesce(licence, 'no licence')), 5), []) AS examples
FROM violation;
