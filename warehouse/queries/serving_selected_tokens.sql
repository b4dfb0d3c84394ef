-- The same of chunks that fulfil a condition. Put in by warehouse.serving.selection: the condition and the weight, both checked.
WITH
stored AS MATERIALIZED (
    SELECT
        chunk_id,
        list_position($shard_ids, shard_id) - 1 AS shard_number,
        token_start,
        token_end
    FROM tokens.shard_chunk
    WHERE
        chunk_id BETWEEN $first_id AND $last_id
        AND list_contains($shard_ids, shard_id)
        AND CAST(CAST(chunk_id AS UHUGEINT) & 18446744073709551615 AS UBIGINT) % $world_size = $rank
),

selected AS MATERIALIZED (
    SELECT
        chunk_id AS selected_id,
        document_id,
        CAST($weight AS DOUBLE) AS weight
    FROM corpus.chunk_metadata
    WHERE chunk_id BETWEEN $first_id AND $last_id AND ($condition)
)

SELECT
    CAST(CAST(stored.chunk_id AS UHUGEINT) >> 64 AS UBIGINT) AS id_high,
    CAST(CAST(stored.chunk_id AS UHUGEINT) & 18446744073709551615 AS UBIGINT) AS id_low,
    CAST(CAST(selected.document_id AS UHUGEINT) >> 64 AS UBIGINT) AS unit,
    selected.weight,
    CAST(stored.shard_number AS SMALLINT) AS shard_number,
    stored.token_start,
    stored.token_end
FROM stored
INNER JOIN selected ON stored.chunk_id = selected.selected_id;
