-- What the band join and the clusters are told of each signed chunk of a chunking. Among equally linked texts the longest
-- is the centre.
COPY (
    SELECT
        unhex(replace(CAST(chunk.chunk_id AS VARCHAR), '-', '')) AS chunk_id,
        chunk.text_sha256,
        source_file.retired_at IS NULL AS is_current,
        signature.compared AS is_known,
        chunk.n_characters AS priority
    FROM corpus.chunk AS chunk
    INNER JOIN corpus.signature AS signature ON chunk.chunk_id = signature.chunk_id
    INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
    INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
    INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
    WHERE chunk.chunking_id = $chunking_id AND signature.sketch_id = $sketch_id
) TO $path (FORMAT parquet);
