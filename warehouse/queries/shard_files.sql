-- The current shards of a recipe and the hashes recorded for them.
SELECT path, sha256
FROM tokens.shard
WHERE recipe = $recipe
ORDER BY path;
