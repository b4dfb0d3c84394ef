DELETE FROM tokens.tokenizer
WHERE tokenizer_id = $tokenizer_id;

INSERT INTO tokens.tokenizer (tokenizer_id, sha256, vocab_size, recipe_sha256, path)
VALUES ($tokenizer_id, $sha256, $vocab_size, $recipe_sha256, $path);
