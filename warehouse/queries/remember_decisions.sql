-- What a recipe decides, once for all the examples that are looked up in it.
CREATE OR REPLACE TEMPORARY TABLE decision AS
SELECT
    chunk_id,
    corpus,
    reason
FROM corpus.training_chunk
WHERE recipe = $recipe;
