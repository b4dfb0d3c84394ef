-- Where private data stands in chunks: found when they are cut, masked where a recipe asks for it.

CREATE TABLE corpus.private_range (
    chunk_id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    char_start INTEGER NOT NULL,
    char_end INTEGER NOT NULL
);
COMMENT ON TABLE corpus.private_range IS 'One row a range of a chunk''s stored text that is somebody''s private data; the text itself is never changed.';
COMMENT ON COLUMN corpus.private_range.chunk_id IS 'The chunk.';
COMMENT ON COLUMN corpus.private_range.kind IS 'email, phone, public_ip, card or iban; which of them are masked in tokens is a recipe''s choice.';
COMMENT ON COLUMN corpus.private_range.char_start IS 'First character in the chunk''s stored text.';
COMMENT ON COLUMN corpus.private_range.char_end IS 'One past the last character.';

COMMENT ON COLUMN tokens.shard.n_bytes IS 'UTF-8 bytes of the clean text that the tokens stand for, private data masked as the recipe asks.';
