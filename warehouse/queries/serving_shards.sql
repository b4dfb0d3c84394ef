-- The shards of a recipe and split ($split NULL: of every split), with the hash of each one's file.
SELECT
    shard_id,
    path,
    sha256,
    n_chunks
FROM tokens.shard
WHERE recipe = $recipe AND ($split IS NULL OR split = $split)
ORDER BY split, number;
