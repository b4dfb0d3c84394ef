-- The chunks of shards that were written in the place of others.
FROM tokens.shard_chunk
SEMI JOIN tokens.replaced_shard AS replaced ON shard_chunk.shard_id = replaced.new_id
