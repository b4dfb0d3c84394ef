-- How many chunks would stay although they resemble those that would be forgotten (tables of forget_resolve.sql).
SELECT count(*) AS n_chunks
FROM (
    SELECT chunk.chunk_id
    FROM corpus.chunk AS chunk
    WHERE chunk.text_sha256 IN (SELECT text_sha256 FROM gone_chunk)
    UNION
    SELECT chunk_b FROM corpus.duplicate_pair WHERE chunk_a IN (SELECT chunk_id FROM gone_chunk)
    UNION
    SELECT chunk_a FROM corpus.duplicate_pair WHERE chunk_b IN (SELECT chunk_id FROM gone_chunk)
    UNION
    SELECT elsewhere.chunk_id
    FROM corpus.repeated_range AS elsewhere
    WHERE
        elsewhere.passage_id IN (
            SELECT here.passage_id FROM corpus.repeated_range AS here
            WHERE here.chunk_id IN (SELECT chunk_id FROM gone_chunk)
        )
) AS alike
WHERE alike.chunk_id NOT IN (SELECT chunk_id FROM gone_chunk);
