-- Stored pairs whose texts are both current and that today's texts do not propose under these chunks.
COPY (
    WITH refuted AS (
        FROM doubtful_pair
        ANTI JOIN confirmed_pair USING (number_a, number_b)
    ),

    suspect AS (
        SELECT stored_pair.chunk_a, stored_pair.chunk_b
        FROM stored_pair
        LEFT JOIN refuted
            ON stored_pair.number_a = refuted.number_a AND stored_pair.number_b = refuted.number_b
        WHERE
            stored_pair.number_a IS NULL
            OR stored_pair.number_b IS NULL
            OR refuted.number_a IS NOT NULL
    ),

    -- Of the suspects' chunks those whose text is current, in whatever chunk.
    standing AS (
        SELECT member.chunk_id
        FROM member
        SEMI JOIN (
            SELECT chunk_a AS chunk_id FROM suspect
            UNION ALL
            SELECT chunk_b FROM suspect
        ) AS named
            ON member.chunk_id = named.chunk_id
        SEMI JOIN (SELECT text_sha256 FROM member WHERE is_current) AS present
            ON member.text_sha256 = present.text_sha256
    )

    SELECT suspect.chunk_a, suspect.chunk_b
    FROM suspect
    SEMI JOIN standing AS a ON suspect.chunk_a = a.chunk_id
    SEMI JOIN standing AS b ON suspect.chunk_b = b.chunk_id
    ORDER BY suspect.chunk_a, suspect.chunk_b
) TO $path (FORMAT parquet, COMPRESSION zstd);
