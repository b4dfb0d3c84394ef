-- Where the texts lie that a search finds: of current chunks, cut as the build's recipe or a recorded one cuts.
COPY (
    SELECT
        chunk.text_file,
        chunk.text_row
    FROM corpus.chunk AS chunk
    SEMI JOIN corpus.current_chunk AS current_chunk ON chunk.chunk_id = current_chunk.chunk_id
    WHERE chunk.chunking_id = $chunking_id OR chunk.chunking_id IN (SELECT chunking_id FROM corpus.recipe)
) TO $path (FORMAT parquet);
