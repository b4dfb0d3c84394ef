-- Every chunk of some shards whose id lies in a range, and where its tokens lie; shard_number counts into shard_ids.
SELECT
    CAST(CAST(chunk_id AS UHUGEINT) >> 64 AS UBIGINT) AS id_high,
    CAST(CAST(chunk_id AS UHUGEINT) & 18446744073709551615 AS UBIGINT) AS id_low,
    CAST(0 AS UBIGINT) AS unit,
    CAST(NULL AS DOUBLE) AS weight,
    CAST(list_position($shard_ids, shard_id) - 1 AS SMALLINT) AS shard_number,
    token_start,
    token_end
FROM tokens.shard_chunk
WHERE
    chunk_id BETWEEN $first_id AND $last_id
    AND list_contains($shard_ids, shard_id)
    AND CAST(CAST(chunk_id AS UHUGEINT) & 18446744073709551615 AS UBIGINT) % $world_size = $rank;
