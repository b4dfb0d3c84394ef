-- Short passages that many chunks, near-duplicates not counted, hold are phrases of the language and count for nothing.
-- A longer passage of the same item counts all the same.
UPDATE corpus.contamination
SET counts = NOT counts
WHERE rowid IN (
    WITH common AS (
        SELECT
            found.item_id,
            found.n_words
        FROM corpus.contamination AS found
        INNER JOIN corpus.current_chunk AS current_chunk ON found.chunk_id = current_chunk.chunk_id
        -- Near-duplicates are one witness.
        LEFT JOIN corpus.duplicate_cluster AS member
            ON found.chunk_id = member.chunk_id AND member.threshold = CAST($threshold AS REAL)
        WHERE
            current_chunk.chunking_id = $chunking_id
            AND found.n_words < $long_words
            AND found.score >= $common_score
        GROUP BY found.item_id, found.n_words
        HAVING
            count(DISTINCT coalesce(member.cluster_id, found.chunk_id)) > $common_chunks + $common_share * (
                SELECT count(*) FROM corpus.current_chunk AS counted WHERE counted.chunking_id = $chunking_id
            )
    )

    SELECT found.rowid
    FROM corpus.contamination AS found
    INNER JOIN corpus.chunk AS chunk ON found.chunk_id = chunk.chunk_id
    LEFT JOIN common ON found.item_id = common.item_id AND found.n_words = common.n_words
    WHERE
        chunk.chunking_id = $chunking_id
        AND found.counts = (found.n_words < $long_words AND common.item_id IS NOT NULL)
);
