-- Current chunks of a chunking with their documents. Exact copies of a document have the same original_id: the smallest
-- document_id among them.
COPY (
    WITH member AS (
        SELECT
            chunk.chunk_id,
            chunk.document_id,
            chunk.ordinal,
            chunk.text_sha256,
            current_chunk.corpus,
            current_chunk.split <> 'train' AS is_held_out
        FROM corpus.chunk AS chunk
        INNER JOIN corpus.current_chunk AS current_chunk ON chunk.chunk_id = current_chunk.chunk_id
        WHERE chunk.chunking_id = $chunking_id
    ),

    document AS (
        SELECT
            document_id,
            count(*) AS n_chunks,
            bit_xor(hash(ordinal, text_sha256)) AS content
        FROM member
        GROUP BY document_id
    ),

    original AS (
        SELECT
            n_chunks,
            content,
            min(document_id) AS original_id
        FROM document
        GROUP BY n_chunks, content
    )

    SELECT
        member.chunk_id,
        original.original_id,
        member.ordinal,
        member.corpus,
        member.is_held_out
    FROM member
    INNER JOIN document ON member.document_id = document.document_id
    INNER JOIN original ON document.n_chunks = original.n_chunks AND document.content = original.content
) TO $path (FORMAT parquet);
