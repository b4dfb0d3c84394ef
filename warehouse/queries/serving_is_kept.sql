-- Whether a chunk of corpus.chunk_metadata lies in one of some shards.
chunk_id IN (
    SELECT shard_chunk.chunk_id
    FROM tokens.shard_chunk AS shard_chunk
    WHERE
        shard_chunk.chunk_id BETWEEN $first_id AND $last_id
        AND list_contains($shard_ids, shard_chunk.shard_id)
)
