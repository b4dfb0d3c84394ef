-- The passages of a recipe's chunking that stand in most documents, whether the recipe leaves them out, and the first copy.
SELECT
    passage.level,
    passage.n_documents,
    passage.n_occurrences,
    passage.n_characters,
    coalesce(
        list_contains(from_json(recipe.definition -> '$.passages.remove', '["VARCHAR"]'), passage.level)
        AND passage.n_documents >= CAST(recipe.definition ->> '$.passages.min_documents' AS INTEGER),
        false
    ) AS is_removed,
    chunk.text_file,
    chunk.text_row,
    first_copy.char_start,
    first_copy.char_end
FROM corpus.recipe AS recipe
INNER JOIN corpus.repeated_passage AS passage ON recipe.chunking_id = passage.chunking_id
INNER JOIN corpus.repeated_range AS first_copy
    ON passage.passage_id = first_copy.passage_id AND passage.first_chunk_id = first_copy.chunk_id
INNER JOIN corpus.chunk AS chunk ON passage.first_chunk_id = chunk.chunk_id
WHERE recipe.recipe = $recipe
QUALIFY row_number() OVER (PARTITION BY passage.passage_id ORDER BY first_copy.char_start) = 1
ORDER BY passage.n_documents DESC, passage.n_characters DESC, passage.passage_id
LIMIT $limit;
