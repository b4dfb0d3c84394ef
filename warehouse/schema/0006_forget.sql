-- What must never come back, and what is known of it: ids and places, never text.

ALTER TABLE corpus.document ADD COLUMN raw_sha256 BLOB;
COMMENT ON COLUMN corpus.document.raw_sha256 IS 'Hash of its raw bytes in the stream, less white space at both ends; NULL where an earlier version recorded it, until it is examined again.';
COMMENT ON COLUMN corpus.source_file.status IS 'found, read, partial (some members or bytes could not be read), empty, failed, or forgotten (never to be read).';
COMMENT ON TABLE corpus.forgotten IS 'One row a content that must never come back: whoever reads files asks here first.';
COMMENT ON COLUMN corpus.forgotten.scope IS 'file (the hash of a file, or of a stream in one) or document (raw_sha256 of a document).';
COMMENT ON COLUMN corpus.dropped.reason IS 'Why: byte_order_mark, binary, blank, forgotten and so on.';

CREATE TABLE corpus.forgotten_document (
    document_id UUID NOT NULL,
    stream_id UUID NOT NULL,
    source_id UUID NOT NULL,
    byte_start BIGINT NOT NULL,
    byte_end BIGINT NOT NULL,
    sha256 BLOB NOT NULL
);
COMMENT ON TABLE corpus.forgotten_document IS 'One row a document that was forgotten: where its bytes are, nothing of what they say.';
COMMENT ON COLUMN corpus.forgotten_document.document_id IS 'The document that was.';
COMMENT ON COLUMN corpus.forgotten_document.stream_id IS 'Its stream.';
COMMENT ON COLUMN corpus.forgotten_document.source_id IS 'Its source file.';
COMMENT ON COLUMN corpus.forgotten_document.byte_start IS 'First byte in the stream.';
COMMENT ON COLUMN corpus.forgotten_document.byte_end IS 'One past the last byte.';
COMMENT ON COLUMN corpus.forgotten_document.sha256 IS 'The content in corpus.forgotten for whose sake it was forgotten.';

CREATE TABLE corpus.forgotten_chunk (
    chunk_id UUID NOT NULL,
    document_id UUID NOT NULL,
    source_id UUID NOT NULL,
    text_file VARCHAR NOT NULL,
    text_row INTEGER NOT NULL
);
COMMENT ON TABLE corpus.forgotten_chunk IS 'One row a chunk that was forgotten; past shards name it, so that models trained on it stay traceable.';
COMMENT ON COLUMN corpus.forgotten_chunk.chunk_id IS 'The chunk that was.';
COMMENT ON COLUMN corpus.forgotten_chunk.document_id IS 'Its document.';
COMMENT ON COLUMN corpus.forgotten_chunk.source_id IS 'Its source file.';
COMMENT ON COLUMN corpus.forgotten_chunk.text_file IS 'Name of the Parquet file under text/ that held its text.';
COMMENT ON COLUMN corpus.forgotten_chunk.text_row IS 'Its row in that file, which is empty now.';

CREATE TABLE corpus.forgotten_likeness (
    sha256 BLOB NOT NULL,
    chunk_id UUID NOT NULL,
    likeness VARCHAR NOT NULL,
    jaccard REAL
);
COMMENT ON TABLE corpus.forgotten_likeness IS 'One row a chunk that stayed although it resembles forgotten text: to be looked at, and forgotten too where it should be.';
COMMENT ON COLUMN corpus.forgotten_likeness.sha256 IS 'The forgotten content, as in corpus.forgotten.';
COMMENT ON COLUMN corpus.forgotten_likeness.chunk_id IS 'The chunk that stayed.';
COMMENT ON COLUMN corpus.forgotten_likeness.likeness IS 'same_text, near_duplicate, or shared_passage (a paragraph or line of it stands in both).';
COMMENT ON COLUMN corpus.forgotten_likeness.jaccard IS 'Similarity to the most similar forgotten chunk; NULL for a shared passage.';

CREATE TABLE corpus.unfinished_forget (
    sha256 BLOB NOT NULL,
    scope VARCHAR NOT NULL,
    subject VARCHAR NOT NULL
);
COMMENT ON TABLE corpus.unfinished_forget IS 'One row a content whose forgetting has begun and not ended: files may still hold its text.';
COMMENT ON COLUMN corpus.unfinished_forget.sha256 IS 'The content, as in corpus.forgotten.';
COMMENT ON COLUMN corpus.unfinished_forget.scope IS 'Its scope, as in corpus.forgotten.';
COMMENT ON COLUMN corpus.unfinished_forget.subject IS 'What fakesmrt forget has to be told to end it: an id.';

CREATE TABLE corpus.broken_pin (
    reference_id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    definition JSON NOT NULL,
    pinned_at TIMESTAMPTZ NOT NULL,
    broken_at TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE corpus.broken_pin IS 'One row a pinned reference that was removed because its sample held forgotten text; the next build makes one from the rest of that sample.';
COMMENT ON COLUMN corpus.broken_pin.reference_id IS 'The reference that was; corpus.reference_sample holds what is left of its sample.';
COMMENT ON COLUMN corpus.broken_pin.kind IS 'ngram.';
COMMENT ON COLUMN corpus.broken_pin.path IS 'The folder below references/ that it had.';
COMMENT ON COLUMN corpus.broken_pin.definition IS 'JSON: the parameters that it was pinned for.';
COMMENT ON COLUMN corpus.broken_pin.pinned_at IS 'When it was pinned.';
COMMENT ON COLUMN corpus.broken_pin.broken_at IS 'When it was removed.';

CREATE TABLE models.stale_checkpoint (
    checkpoint_id UUID NOT NULL,
    since TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE models.stale_checkpoint IS 'One row a model that saw text which was forgotten since, itself or through an ancestor.';
COMMENT ON COLUMN models.stale_checkpoint.checkpoint_id IS 'The model; another takes its place as the promoted one at the next occasion.';
COMMENT ON COLUMN models.stale_checkpoint.since IS 'When the text was forgotten.';
