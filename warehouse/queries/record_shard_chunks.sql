-- sharded: the chunks of a shard. Its row in tokens.shard is there already.
INSERT INTO tokens.shard_chunk (shard_id, chunk_id, token_start, token_end)
SELECT
    shard_id,
    chunk_id,
    token_start,
    token_end
FROM sharded
ANTI JOIN tokens.shard_chunk USING (shard_id);

INSERT INTO tokens.shard_origin (
    shard_id, tokenizer_id, recipe, split, number, path, n_tokens, sha256, masked
)
SELECT
    shard.shard_id,
    shard.tokenizer_id,
    shard.recipe,
    shard.split,
    shard.number,
    shard.path,
    shard.n_tokens,
    shard.sha256,
    coalesce(from_json(recipe.definition -> '$.privacy.mask', '["VARCHAR"]'), [])
FROM tokens.shard AS shard
SEMI JOIN sharded ON shard.shard_id = sharded.shard_id
ANTI JOIN tokens.shard_origin AS known ON shard.shard_id = known.shard_id
LEFT JOIN corpus.recipe AS recipe ON shard.recipe = recipe.recipe;
