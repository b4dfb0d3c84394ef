-- What a recipe leaves out of the chunks that it keeps, as repeated passages, by corpus and level.
SELECT
    training_chunk.corpus,
    repeated_range.level,
    count(*) AS n_ranges,
    CAST(sum(repeated_range.char_end - repeated_range.char_start) AS BIGINT) AS n_characters
FROM corpus.recipe AS recipe
INNER JOIN corpus.training_chunk AS training_chunk ON recipe.recipe = training_chunk.recipe
INNER JOIN corpus.repeated_range AS repeated_range ON training_chunk.chunk_id = repeated_range.chunk_id
WHERE
    recipe.recipe = $recipe
    AND training_chunk.kept
    AND list_contains(from_json(recipe.definition -> '$.passages.remove', '["VARCHAR"]'), repeated_range.level)
    AND repeated_range.n_documents >= CAST(recipe.definition ->> '$.passages.min_documents' AS INTEGER)
    AND NOT (
        list_contains(from_json(recipe.definition -> '$.passages.remove', '["VARCHAR"]'), 'paragraph')
        AND repeated_range.paragraph_documents >= CAST(recipe.definition ->> '$.passages.min_documents' AS INTEGER)
    )
    AND NOT (repeated_range.is_first AND CAST(recipe.definition ->> '$.passages.keep_first' AS BOOLEAN))
GROUP BY ALL
ORDER BY ALL;
