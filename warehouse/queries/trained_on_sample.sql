-- Chunks that a recipe trains on, at most so many, drawn by their ids.
SELECT
    chunk.chunk_id,
    chunk.text_file,
    chunk.text_row
FROM corpus.training_chunk AS training_chunk
INNER JOIN corpus.chunk AS chunk ON training_chunk.chunk_id = chunk.chunk_id
WHERE training_chunk.recipe = $recipe AND training_chunk.kept AND training_chunk.split = 'train'
ORDER BY hash(chunk.chunk_id)
LIMIT $n_chunks;
