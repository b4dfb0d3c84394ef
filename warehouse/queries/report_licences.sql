-- Files and clean text under each licence, and what a recipe keeps of it.
WITH files AS (
    SELECT licence, count(*) AS n_files FROM corpus.source_file WHERE retired_at IS NULL GROUP BY licence
),
texts AS (
    SELECT
        chunk_source.licence,
        sum(chunk.n_bytes)::BIGINT AS n_bytes,
        coalesce(sum(chunk.n_bytes) FILTER (training_chunk.kept), 0)::BIGINT AS n_kept_bytes
    FROM corpus.training_chunk
    JOIN corpus.chunk ON chunk.chunk_id = training_chunk.chunk_id
    JOIN lineage.chunk_source ON chunk_source.chunk_id = training_chunk.chunk_id
    WHERE training_chunk.recipe = $recipe
    GROUP BY chunk_source.licence
)
SELECT
    files.licence, files.n_files, coalesce(texts.n_bytes, 0) AS n_bytes,
    coalesce(texts.n_kept_bytes, 0) AS n_kept_bytes
FROM files
LEFT JOIN texts ON texts.licence = files.licence
ORDER BY n_bytes DESC, files.licence;
