-- How many repeated passages of each level stand in how many documents: powers of two, from 2.
SELECT
    passage.level,
    CAST(pow(2, floor(log2(passage.n_documents))) AS BIGINT) AS n_documents,
    count(*) AS n_passages
FROM corpus.repeated_passage AS passage
WHERE passage.chunking_id = $chunking_id
GROUP BY ALL
ORDER BY ALL;
