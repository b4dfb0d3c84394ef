-- Recipes that have shards of training text.
SELECT DISTINCT recipe
FROM tokens.shard
WHERE split = 'train'
ORDER BY recipe;
