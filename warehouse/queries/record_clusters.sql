-- The clusters of a chunking at a threshold, whole.
DELETE FROM corpus.duplicate_cluster
USING corpus.chunk AS chunk
WHERE
    duplicate_cluster.chunk_id = chunk.chunk_id
    AND chunk.chunking_id = $chunking_id
    AND duplicate_cluster.threshold = CAST($threshold AS REAL);

-- Of chunks that are gone nothing stays.
DELETE FROM corpus.duplicate_cluster
WHERE chunk_id NOT IN (SELECT chunk_id FROM corpus.chunk);

INSERT INTO corpus.duplicate_cluster (chunk_id, cluster_id, threshold, jaccard, rule_version)
SELECT
    CAST(hex(chunk_id) AS UUID) AS chunk_id,
    CAST(hex(cluster_id) AS UUID) AS cluster_id,
    threshold,
    jaccard,
    rule_version
FROM read_parquet($clusters);
