-- Chunks of current files under a chunking whose band keys are not in the index, in the order of their texts.
COPY (
    SELECT
        unhex(replace(CAST(chunk.chunk_id AS VARCHAR), '-', '')) AS chunk_id,
        chunk.text_file,
        chunk.text_row
    FROM corpus.chunk AS chunk
    INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
    INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
    INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
    WHERE
        chunk.chunking_id = $chunking_id
        AND source_file.retired_at IS NULL
        AND NOT EXISTS (
            FROM corpus.signature AS signature
            WHERE signature.chunk_id = chunk.chunk_id AND signature.sketch_id = $sketch_id
        )
    ORDER BY chunk.text_file, chunk.text_row
) TO $path (FORMAT parquet);
