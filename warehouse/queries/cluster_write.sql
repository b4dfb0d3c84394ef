-- Memberships in clusters of two or more chunks: every other linked text joins the centre that it resembles most, of
-- several the one visited first.
COPY (
    WITH choice AS (
        SELECT node, earlier AS centre, jaccard
        FROM link
        SEMI JOIN centre ON link.earlier = centre.node
        UNION ALL
        SELECT earlier, link.node, jaccard
        FROM link
        SEMI JOIN centre ON link.node = centre.node
    ),

    joined AS (
        SELECT
            member_node.chunk_id,
            centre_node.chunk_id AS cluster_id,
            chosen.jaccard
        FROM (
            SELECT node, centre, jaccard
            FROM choice
            QUALIFY row_number() OVER (PARTITION BY node ORDER BY jaccard DESC, centre) = 1
        ) AS chosen
        INNER JOIN node AS member_node ON chosen.node = member_node.node
        INNER JOIN node AS centre_node ON chosen.centre = centre_node.node
    ),

    placed AS (
        SELECT
            current_text.text_sha256,
            current_text.n_chunks,
            coalesce(joined.cluster_id, current_text.chunk_id) AS cluster_id,
            coalesce(joined.jaccard, CAST(1 AS REAL)) AS jaccard
        FROM current_text
        LEFT JOIN joined ON current_text.chunk_id = joined.chunk_id
    ),

    shared AS (
        SELECT cluster_id
        FROM placed
        GROUP BY cluster_id
        HAVING sum(n_chunks) > 1
    )

    SELECT
        member.chunk_id,
        placed.cluster_id,
        CAST($threshold AS REAL) AS threshold,
        $version AS rule_version,
        placed.jaccard
    FROM member
    INNER JOIN placed ON member.text_sha256 = placed.text_sha256
    SEMI JOIN shared ON placed.cluster_id = shared.cluster_id
    WHERE member.is_current
    ORDER BY placed.cluster_id, member.chunk_id
) TO $path (FORMAT parquet, COMPRESSION zstd);
