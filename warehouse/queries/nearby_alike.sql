-- Chunks that share a cluster, a verified pair or a held-out passage with one of nearby_chunk and are not among them yet.
INSERT INTO nearby_chunk
SELECT alike.chunk_id
FROM (
    SELECT other.chunk_id
    FROM corpus.duplicate_cluster AS other
    SEMI JOIN (
        SELECT member.cluster_id
        FROM corpus.duplicate_cluster AS member
        SEMI JOIN nearby_chunk ON member.chunk_id = nearby_chunk.chunk_id
    ) AS own
        ON other.cluster_id = own.cluster_id
    UNION
    SELECT pair.chunk_b
    FROM corpus.duplicate_pair AS pair
    SEMI JOIN nearby_chunk ON pair.chunk_a = nearby_chunk.chunk_id
    UNION
    SELECT pair.chunk_a
    FROM corpus.duplicate_pair AS pair
    SEMI JOIN nearby_chunk ON pair.chunk_b = nearby_chunk.chunk_id
    UNION
    SELECT found.item_id
    FROM corpus.contamination AS found
    SEMI JOIN nearby_chunk ON found.chunk_id = nearby_chunk.chunk_id
    WHERE found.evaluation_set = 'held_out'
    UNION
    SELECT found.chunk_id
    FROM corpus.contamination AS found
    SEMI JOIN nearby_chunk ON found.item_id = nearby_chunk.chunk_id
    WHERE found.evaluation_set = 'held_out'
) AS alike
ANTI JOIN nearby_chunk ON alike.chunk_id = nearby_chunk.chunk_id;
