-- Chunks of current files under a chunking whose passages are not in the index, in the order of their texts.
COPY (
    SELECT
        chunk.chunk_id,
        chunk.text_file,
        chunk.text_row
    FROM corpus.chunk AS chunk
    SEMI JOIN corpus.current_chunk AS current_chunk ON chunk.chunk_id = current_chunk.chunk_id
    ANTI JOIN corpus.passage_index AS passage_index
        ON chunk.chunk_id = passage_index.chunk_id AND passage_index.rule = $rule
    WHERE chunk.chunking_id = $chunking_id
    ORDER BY chunk.text_file, chunk.text_row
) TO $path (FORMAT parquet);
