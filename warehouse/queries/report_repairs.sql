-- How many chunks were changed by each step of the repair plans.
WITH step AS (
    SELECT chunk_id, unnest(list_distinct(json_extract_string(repair, '$.steps[*][0]'))) AS step
    FROM corpus.chunk
    WHERE chunking_id = $chunking_id
)
SELECT step, count(*) AS n_chunks
FROM step
GROUP BY step
ORDER BY n_chunks DESC, step;
