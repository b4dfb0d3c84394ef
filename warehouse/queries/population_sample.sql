-- What the models of a population, or the models that they were made of, really were trained on: as corpus.reference_sample.
CREATE OR REPLACE TEMP TABLE sampled AS
WITH
model AS (
    SELECT
        unnest(CAST($checkpoint_ids AS UUID [])) AS checkpoint_id,
        CAST(generate_subscripts(CAST($checkpoint_ids AS UUID []), 1) - 1 AS SMALLINT) AS fold
),

seen AS (
    SELECT DISTINCT
        model_chunk.chunk_id,
        model.fold
    FROM lineage.model_chunk AS model_chunk
    INNER JOIN model ON model_chunk.checkpoint_id = model.checkpoint_id
),

trained AS (
    SELECT
        chunk_id,
        list(fold) AS folds
    FROM seen
    GROUP BY chunk_id
)

SELECT
    $reference_id AS reference_id,
    chunk_id,
    unnest(
        CASE
            WHEN len(folds) = len(CAST($checkpoint_ids AS UUID [])) THEN [CAST(-1 AS SMALLINT)]
            ELSE list_filter((SELECT list(fold) FROM model), lambda fold: NOT list_contains(folds, fold))
        END
    ) AS fold
FROM trained;
