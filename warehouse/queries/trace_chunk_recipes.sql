SELECT
    recipe, kept, reason, weight, bucket, bits_per_byte, perplexity, cluster_id::VARCHAR AS cluster_id,
    duplicate_threshold, keeper_id::VARCHAR AS keeper_id
FROM lineage.chunk_decision
WHERE chunk_id = $id AND recipe IS NOT NULL
ORDER BY recipe
LIMIT $limit;
