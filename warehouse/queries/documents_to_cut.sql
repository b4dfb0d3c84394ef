-- Documents of current files that the chunking has not cut to their end: no chunk and no dropped range of it ends where
-- the document does. Large documents are committed section by section, the last one last.
WITH unfolded AS (
    SELECT
        source_id,
        sum(n_bytes)::BIGINT AS n_bytes
    FROM corpus.stream
    GROUP BY source_id
)

SELECT
    source_file.source_id,
    source_file.path,
    source_file.sha256,
    source_file.n_bytes AS source_bytes,
    unfolded.n_bytes AS unfolded_bytes,
    stream.container,
    stream.member,
    stream.n_bytes AS stream_bytes,
    corpus.split_unit,
    document.document_id,
    document.stream_id,
    document.ordinal,
    document.byte_start,
    document.byte_end,
    document.reader,
    document.reader_version,
    document.encoding,
    document.encoding_confidence,
    document.encoding_evidence,
    document.language,
    document.language_score,
    document.n_characters,
    document.title,
    document.decoder_state,
    document.encoding_regions
FROM corpus.document AS document
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
INNER JOIN unfolded ON source_file.source_id = unfolded.source_id
INNER JOIN corpus.corpus AS corpus ON source_file.corpus = corpus.corpus
WHERE
    source_file.retired_at IS NULL
    AND source_file.sha256 NOT IN (SELECT sha256 FROM corpus.forgotten WHERE scope = 'file')
    AND NOT EXISTS (
        FROM corpus.chunk AS chunk
        WHERE
            chunk.document_id = document.document_id
            AND chunk.chunking_id = $chunking_id
            AND chunk.byte_end = document.byte_end
    )
    AND NOT EXISTS (
        FROM corpus.dropped AS dropped
        WHERE
            dropped.stream_id = document.stream_id
            AND dropped.chunking_id = $chunking_id
            AND dropped.byte_start >= document.byte_start
            AND dropped.byte_end = document.byte_end
    )
ORDER BY source_file.corpus, source_file.path, stream.ordinal, document.byte_start;
