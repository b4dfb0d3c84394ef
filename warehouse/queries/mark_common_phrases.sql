-- Short passages that many different chunks hold are phrases of the language and count for nothing.
UPDATE corpus.contamination
SET counts = NOT counts
WHERE rowid IN (
    WITH common AS (
        SELECT found.item_id
        FROM corpus.contamination AS found
        INNER JOIN corpus.current_chunk AS current_chunk ON found.chunk_id = current_chunk.chunk_id
        WHERE
            current_chunk.chunking_id = $chunking_id
            AND found.n_words < $long_words
            AND found.score >= $common_score
        GROUP BY found.item_id
        HAVING
            count(DISTINCT current_chunk.text_sha256) > $common_chunks + $common_share * (
                SELECT count(*) FROM corpus.current_chunk AS counted WHERE counted.chunking_id = $chunking_id
            )
    )

    SELECT found.rowid
    FROM corpus.contamination AS found
    INNER JOIN corpus.chunk AS chunk ON found.chunk_id = chunk.chunk_id
    LEFT JOIN common ON found.item_id = common.item_id
    WHERE
        chunk.chunking_id = $chunking_id
        AND found.counts = (found.n_words < $long_words AND common.item_id IS NOT NULL)
);
