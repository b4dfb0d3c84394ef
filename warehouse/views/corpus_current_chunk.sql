-- Chunks that count now: of files that are neither retired nor forgotten.

CREATE OR REPLACE VIEW corpus.current_chunk AS
SELECT
    chunk.chunk_id,
    chunk.chunking_id,
    source_file.corpus,
    document.language,
    chunk.split,
    chunk.n_bytes,
    chunk.text_sha256
FROM corpus.chunk AS chunk
INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
WHERE
    source_file.retired_at IS NULL
    AND NOT EXISTS (
        FROM corpus.forgotten AS forgotten
        WHERE forgotten.scope = 'file' AND forgotten.sha256 = source_file.sha256
    );
COMMENT ON VIEW corpus.current_chunk IS 'One row a chunk of a file that is neither retired nor forgotten.';
COMMENT ON COLUMN corpus.current_chunk.chunk_id IS 'The chunk.';
COMMENT ON COLUMN corpus.current_chunk.chunking_id IS 'The chunking that cut it.';
COMMENT ON COLUMN corpus.current_chunk.corpus IS 'Corpus of its source file.';
COMMENT ON COLUMN corpus.current_chunk.language IS 'Language of its document.';
COMMENT ON COLUMN corpus.current_chunk.split IS 'train, validation, select, confirm or report.';
COMMENT ON COLUMN corpus.current_chunk.n_bytes IS 'UTF-8 bytes of the stored text.';
COMMENT ON COLUMN corpus.current_chunk.text_sha256 IS 'Hash of the stored text in UTF-8.';
