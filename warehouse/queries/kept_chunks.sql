-- What a recipe keeps, in the order in which shards hold it.
SELECT
    training_chunk.chunk_id,
    chunk.document_id,
    chunk.ordinal,
    training_chunk.corpus,
    corpus.split_unit,
    training_chunk.split,
    training_chunk.weight,
    chunk.n_bytes,
    chunk.text_sha256,
    chunk.text_file,
    chunk.text_row
FROM corpus.training_chunk AS training_chunk
INNER JOIN corpus.chunk AS chunk ON training_chunk.chunk_id = chunk.chunk_id
INNER JOIN corpus.corpus AS corpus ON training_chunk.corpus = corpus.corpus
WHERE training_chunk.recipe = $recipe AND training_chunk.kept
ORDER BY chunk.document_id, chunk.ordinal, chunk.chunk_id;
