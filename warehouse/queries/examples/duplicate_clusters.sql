-- The largest clusters of near-duplicates.
SELECT cluster_id, threshold, count(*) AS n_chunks
FROM corpus.duplicate_cluster
GROUP BY cluster_id, threshold
ORDER BY n_chunks DESC, cluster_id
LIMIT 50;
