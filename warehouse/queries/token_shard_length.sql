-- One past the last token of a shard of which no more is known.
SELECT max(token_end) AS n_tokens
FROM tokens.shard_chunk
WHERE shard_id = $shard_id;
