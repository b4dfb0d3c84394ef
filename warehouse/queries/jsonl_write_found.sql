-- Members, clusters by their keeper's id, the keeper first.
COPY (
    SELECT id, keeper_id, keeper_source, jaccard, kept
    FROM jsonl_member
    ORDER BY keeper_id, keeper_source, kept DESC, id
) TO $members (FORMAT parquet, COMPRESSION zstd);
-- Where the rows that are not kept begin, in the order of the file.
COPY (
    SELECT start_byte
    FROM jsonl_member
    WHERE NOT kept
    ORDER BY start_byte
) TO $dropped (FORMAT parquet, COMPRESSION zstd);
