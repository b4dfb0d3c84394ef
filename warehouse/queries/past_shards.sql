-- A recipe's shards as they were recorded last, with what they leave out of their chunks.
SELECT
    shard.split,
    shard.number,
    shard.path,
    left_out.chunk_id,
    left_out.char_start,
    left_out.char_end
FROM tokens.shard AS shard
LEFT JOIN tokens.left_out AS left_out ON shard.shard_id = left_out.shard_id
WHERE shard.recipe = $recipe AND shard.tokenizer_id = $tokenizer_id
ORDER BY ALL;
