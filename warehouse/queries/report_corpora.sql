-- What was read of each corpus and what a recipe keeps of it; files that were retired do not count.
WITH files AS (
    SELECT
        corpus,
        string_agg(DISTINCT licence, ', ' ORDER BY licence) AS licences,
        count(*) AS n_files,
        count(*) FILTER (status = 'failed') AS n_failed,
        count(*) FILTER (status = 'empty') AS n_empty,
        count(*) FILTER (status = 'partial') AS n_partial,
        sum(n_bytes)::BIGINT AS n_file_bytes
    FROM corpus.source_file
    WHERE retired_at IS NULL
    GROUP BY corpus
),
chunks AS (
    SELECT
        training_chunk.corpus,
        count(DISTINCT chunk.document_id) AS n_documents,
        count(*) AS n_chunks,
        sum(chunk.n_bytes)::BIGINT AS n_chunk_bytes,
        count(*) FILTER (training_chunk.kept) AS n_kept_chunks,
        coalesce(sum(chunk.n_bytes) FILTER (training_chunk.kept), 0)::BIGINT AS n_kept_bytes,
        count(*) FILTER (json_array_length(chunk.repair, '$.steps') > 0) AS n_repaired_chunks,
        sum(chunk.n_replaced)::BIGINT AS n_replaced_characters
    FROM corpus.training_chunk
    JOIN corpus.chunk ON chunk.chunk_id = training_chunk.chunk_id
    WHERE training_chunk.recipe = $recipe
    GROUP BY training_chunk.corpus
)
SELECT
    files.*,
    coalesce(n_documents, 0) AS n_documents,
    coalesce(n_chunks, 0) AS n_chunks,
    coalesce(n_chunk_bytes, 0) AS n_chunk_bytes,
    coalesce(n_kept_chunks, 0) AS n_kept_chunks,
    coalesce(n_kept_bytes, 0) AS n_kept_bytes,
    coalesce(n_repaired_chunks, 0) AS n_repaired_chunks,
    coalesce(n_replaced_characters, 0) AS n_replaced_characters
FROM files
LEFT JOIN chunks ON chunks.corpus = files.corpus
ORDER BY files.corpus;
