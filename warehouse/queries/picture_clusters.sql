-- How many clusters have how many members, at a threshold and in a chunking.
WITH cluster AS (
    SELECT duplicate_cluster.cluster_id, count(*) AS n_members
    FROM corpus.duplicate_cluster
    JOIN corpus.chunk ON chunk.chunk_id = duplicate_cluster.chunk_id
    WHERE chunk.chunking_id = $chunking_id AND duplicate_cluster.threshold = $threshold::REAL
    GROUP BY duplicate_cluster.cluster_id
)
SELECT n_members, count(*) AS n_clusters
FROM cluster
GROUP BY n_members
ORDER BY n_members;
