INSERT INTO tokens.shard (
    shard_id, tokenizer_id, recipe, split, number, path, n_tokens, n_chunks, n_bytes, sha256
)
VALUES ($shard_id, $tokenizer_id, $recipe, $split, $number, $path, $n_tokens, $n_chunks, $n_bytes, $sha256);
