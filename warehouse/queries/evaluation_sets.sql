-- Registered evaluation sets as of the last build: files, items, and what was found in chunks of current files.
WITH found AS (
    SELECT
        contamination.evaluation_set,
        count(DISTINCT contamination.item_id) AS n_found,
        count(DISTINCT contamination.chunk_id) AS n_chunks
    FROM corpus.contamination AS contamination
    INNER JOIN corpus.current_chunk AS current_chunk ON contamination.chunk_id = current_chunk.chunk_id
    WHERE contamination.counts
    GROUP BY contamination.evaluation_set
),

known AS (
    SELECT
        evaluation_set,
        count(*) AS n_files,
        CAST(sum(n_items) AS BIGINT) AS n_items,
        CAST(sum(n_unsearched) AS BIGINT) AS n_unsearched
    FROM corpus.evaluation_set
    GROUP BY evaluation_set
)

SELECT
    location.evaluation_set,
    string_agg(location.path, ', ' ORDER BY location.path) AS path,
    coalesce(any_value(known.n_files), 0) AS n_files,
    coalesce(any_value(known.n_items), 0) AS n_items,
    coalesce(any_value(known.n_unsearched), 0) AS n_unsearched,
    coalesce(any_value(found.n_found), 0) AS n_found,
    coalesce(any_value(found.n_chunks), 0) AS n_chunks
FROM corpus.evaluation_location AS location
LEFT JOIN known ON location.evaluation_set = known.evaluation_set
LEFT JOIN found ON location.evaluation_set = found.evaluation_set
GROUP BY location.evaluation_set
ORDER BY location.evaluation_set;
