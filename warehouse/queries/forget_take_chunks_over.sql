-- sharded: chunks of shards that were written in the place of others, of which this database has some.
INSERT INTO tokens.shard_chunk BY NAME
FROM sharded
SEMI JOIN (
    SELECT replaced_shard.new_id
    FROM tokens.replaced_shard
    SEMI JOIN tokens.shard ON replaced_shard.old_id = shard.shard_id
) AS mine ON sharded.shard_id = mine.new_id
ANTI JOIN tokens.shard_chunk AS known ON sharded.shard_id = known.shard_id;
