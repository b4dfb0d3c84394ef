-- How many chunks are in clusters, and in how many.
SELECT
    count(*) AS n_members,
    count(DISTINCT cluster_id) AS n_clusters
FROM read_parquet($path);
