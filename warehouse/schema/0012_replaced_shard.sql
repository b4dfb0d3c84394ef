-- Shards that were written again without forgotten text: by their ids published versions are told which shard to read now.

CREATE TABLE tokens.replaced_shard (
    old_id UUID NOT NULL,
    new_id UUID,
    path VARCHAR,
    n_tokens BIGINT,
    n_chunks BIGINT,
    n_bytes BIGINT,
    sha256 BLOB
);
COMMENT ON TABLE tokens.replaced_shard IS 'One row a shard that held forgotten text, and the shard that was written in its place.';
COMMENT ON COLUMN tokens.replaced_shard.old_id IS 'The shard that held it; its files are gone.';
COMMENT ON COLUMN tokens.replaced_shard.new_id IS 'The shard without it; NULL where nothing was left.';
COMMENT ON COLUMN tokens.replaced_shard.path IS 'File of the new one below tokens/.';
COMMENT ON COLUMN tokens.replaced_shard.n_tokens IS 'Its tokens, markers included.';
COMMENT ON COLUMN tokens.replaced_shard.n_chunks IS 'Its chunks.';
COMMENT ON COLUMN tokens.replaced_shard.n_bytes IS 'UTF-8 bytes of the text that its tokens stand for.';
COMMENT ON COLUMN tokens.replaced_shard.sha256 IS 'SHA-256 of its file.';
