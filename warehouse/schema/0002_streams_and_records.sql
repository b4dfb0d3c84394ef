-- Members of archives, encodings that change midway, and records whose text a reader extracts.

ALTER TABLE corpus.stream ADD COLUMN ordinal INTEGER DEFAULT 0;
ALTER TABLE corpus.stream ADD COLUMN error VARCHAR;
COMMENT ON COLUMN corpus.stream.ordinal IS 'Place in the source file, from 0: members in the order of the archive.';
COMMENT ON COLUMN corpus.stream.error IS 'Why the rest of it could not be read; NULL where it was read whole.';
COMMENT ON COLUMN corpus.stream.stream_id IS 'Hash of source_id and member, and of the place in the archive where a name occurs again.';
COMMENT ON COLUMN corpus.stream.container IS 'file, or the container formats around it, outermost first: gz, zip, gz+tar.';
COMMENT ON COLUMN corpus.stream.member IS 'Name in the container, nested ones with slashes; NULL for the file itself and for a lone compressed stream.';

ALTER TABLE corpus.document ADD COLUMN decoder_state VARCHAR;
ALTER TABLE corpus.document ADD COLUMN encoding_regions JSON;
COMMENT ON COLUMN corpus.document.decoder_state IS 'State that a stateful decoder has at byte_start; NULL for stateless encodings.';
COMMENT ON COLUMN corpus.document.encoding_regions IS 'JSON: [byte_start, byte_end, encoding, confidence, evidence] of each region where the encoding changes midway; NULL where it does not.';
COMMENT ON COLUMN corpus.document.encoding IS 'Encoding decided for its (first) bytes, a Python codec name.';
COMMENT ON COLUMN corpus.document.n_characters IS 'Characters as decoded and, where its reader extracts text, extracted; before repair.';
COMMENT ON COLUMN corpus.document.title IS 'What it calls itself, else its first short line or heading; at most 120 characters.';

ALTER TABLE corpus.dropped ADD COLUMN char_start BIGINT;
ALTER TABLE corpus.dropped ADD COLUMN char_end BIGINT;
COMMENT ON TABLE corpus.dropped IS 'One row a byte range, or a slice of a record''s extracted text, that became no chunk.';
COMMENT ON COLUMN corpus.dropped.char_start IS 'First character of a slice of the extracted text of the record that byte_start and byte_end bound; NULL where the bytes themselves were dropped.';
COMMENT ON COLUMN corpus.dropped.char_end IS 'One past the last character of the slice.';

COMMENT ON COLUMN corpus.chunk.chunk_id IS 'Hash of stream_id, chunking_id and byte range, and of the character range where the text was extracted from a record.';
COMMENT ON COLUMN corpus.chunk.byte_start IS 'First byte in the stream; of a structured document, that of the record.';
COMMENT ON COLUMN corpus.chunk.byte_end IS 'One past the last byte.';
COMMENT ON COLUMN corpus.chunk.char_start IS 'First character in the document''s clean text; of a structured document, in the text that its reader extracted.';

COMMENT ON COLUMN corpus.source_file.status IS 'found, read, partial (some members or bytes could not be read), empty or failed.';
COMMENT ON COLUMN corpus.source_file.error IS 'Why it failed, is empty or was read in part only.';
