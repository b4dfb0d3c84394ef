-- Chunks in a recipe's shards that count no more, because their files are away or forgotten.
SELECT count(*)
FROM tokens.shard_chunk AS held
INNER JOIN tokens.shard AS shard ON held.shard_id = shard.shard_id
ANTI JOIN corpus.current_chunk AS current_chunk ON held.chunk_id = current_chunk.chunk_id
WHERE shard.recipe = $recipe;
