-- Where private data was found, and which recipes mask it: ids and ranges, never the text.
SELECT
    source_file.corpus, source_file.path, private_range.chunk_id, private_range.kind,
    private_range.char_start, private_range.char_end,
    list(recipe.recipe ORDER BY recipe.recipe) FILTER (
        list_contains(from_json(recipe.definition -> '$.privacy.mask', '["VARCHAR"]'), private_range.kind)
    ) AS masked_by
FROM corpus.private_range
JOIN corpus.chunk ON chunk.chunk_id = private_range.chunk_id
JOIN lineage.chunk_source AS source_file ON source_file.chunk_id = private_range.chunk_id
LEFT JOIN corpus.recipe ON recipe.chunking_id = chunk.chunking_id
GROUP BY ALL
ORDER BY source_file.corpus, source_file.path, private_range.chunk_id, private_range.char_start
LIMIT 200;
