-- Three members of each of the largest clusters: the keeper, then those least like the centre.
WITH member AS (
    SELECT
        duplicate_cluster.cluster_id,
        chunk.chunk_id,
        duplicate_cluster.jaccard,
        chunk.text_file,
        chunk.text_row,
        count(*) OVER (PARTITION BY duplicate_cluster.cluster_id) AS n_members
    FROM corpus.duplicate_cluster
    JOIN corpus.chunk ON chunk.chunk_id = duplicate_cluster.chunk_id
    WHERE chunk.chunking_id = $chunking_id AND duplicate_cluster.threshold = $threshold::REAL
),
largest AS (
    SELECT DISTINCT cluster_id, n_members FROM member ORDER BY n_members DESC, cluster_id LIMIT $limit
)
SELECT
    member.cluster_id::VARCHAR AS cluster_id,
    member.n_members,
    member.chunk_id::VARCHAR AS chunk_id,
    chunk_source.corpus,
    chunk_source.path,
    member.jaccard::DOUBLE AS jaccard,
    coalesce(training_chunk.keeper_id = member.chunk_id, false) AS is_keeper,
    member.text_file,
    member.text_row
FROM member
JOIN largest ON largest.cluster_id = member.cluster_id
JOIN lineage.chunk_source ON chunk_source.chunk_id = member.chunk_id
LEFT JOIN corpus.training_chunk
    ON training_chunk.chunk_id = member.chunk_id AND training_chunk.recipe = $recipe
QUALIFY row_number() OVER (PARTITION BY member.cluster_id ORDER BY is_keeper DESC, member.jaccard, member.chunk_id) <= 3
ORDER BY member.n_members DESC, member.cluster_id, is_keeper DESC, member.jaccard, member.chunk_id;
