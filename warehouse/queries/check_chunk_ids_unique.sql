-- No key guards corpus.chunk, so that replacing rows stays fast: this check does.
WITH repeated AS (
    SELECT chunk_id FROM corpus.chunk GROUP BY chunk_id HAVING count(*) > 1
)

SELECT
    (SELECT count(*) FROM corpus.chunk) AS n_examined,
    count(*) AS n_violations,
    coalesce(min('chunk ' || chunk_id::VARCHAR, 5), []) AS examples
FROM repeated;
