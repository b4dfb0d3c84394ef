-- Every current chunk was searched for every evaluation file and compared with held-out text, and none that a recipe
-- trains on holds what it counts.
WITH recipe AS (
    SELECT
        chunking_id,
        from_json(definition -> '$.decontamination.evaluation_sets', '["VARCHAR"]') AS evaluation_sets,
        from_json(definition -> '$.decontamination.rules', '["VARCHAR"]') AS rules,
        CAST(definition ->> '$.decontamination.min_score' AS REAL) AS min_score,
        CAST(definition ->> '$.decontamination.held_out_share' AS REAL) AS held_out_share
    FROM corpus.recipe
    WHERE recipe = $recipe
),

kept AS (
    SELECT chunk_id, split FROM corpus.training_chunk WHERE recipe = $recipe AND kept
),

searched AS (
    SELECT
        search.chunk_id,
        count(file.file_id) AS n_files
    FROM corpus.contamination_search AS search
    LEFT JOIN corpus.evaluation_collection AS file
        ON search.collection_id = file.collection_id AND file.file_id IN (SELECT unnest(CAST($file_ids AS UUID [])))
    GROUP BY search.chunk_id
),

violation AS (
    SELECT format('chunk {} was not searched for every evaluation file', chunk.chunk_id) AS example
    FROM corpus.current_chunk AS chunk
    INNER JOIN recipe ON chunk.chunking_id = recipe.chunking_id
    LEFT JOIN searched ON chunk.chunk_id = searched.chunk_id
    WHERE coalesce(searched.n_files, 0) < len(list_distinct(CAST($file_ids AS UUID [])))
    UNION ALL
    SELECT format('chunk {} was not compared with held-out text', chunk.chunk_id) AS example
    FROM corpus.current_chunk AS chunk
    INNER JOIN recipe ON chunk.chunking_id = recipe.chunking_id
    WHERE chunk.split = 'train' AND chunk.chunk_id NOT IN (SELECT chunk_id FROM corpus.held_out_search)
    UNION ALL
    SELECT
        format('chunk {} holds an item of {}', found.chunk_id, found.evaluation_set) AS example
    FROM corpus.contamination AS found
    INNER JOIN kept ON found.chunk_id = kept.chunk_id AND kept.split = 'train'
    CROSS JOIN recipe
    WHERE
        found.counts
        AND CASE
            WHEN found.evaluation_set = 'held_out' THEN
                -- What is not measured on may be trained on.
                found.score > recipe.held_out_share AND found.item_id IN (SELECT chunk_id FROM kept)
            ELSE
                list_contains(recipe.rules, found.rule)
                AND (len(recipe.evaluation_sets) = 0 OR list_contains(recipe.evaluation_sets, found.evaluation_set))
                AND (found.rule = 'ngram_overlap' OR found.score >= recipe.min_score)
        END
)

SELECT
    (
        SELECT count(*)
        FROM corpus.current_chunk AS chunk
        INNER JOIN recipe ON chunk.chunking_id = recipe.chunking_id
    ) AS n_examined,
    count(*) AS n_violations,
    coalesce(min(example, 5), []) AS examples
FROM violation;
