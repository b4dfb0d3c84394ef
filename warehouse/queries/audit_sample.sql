-- Some chunks that a model was trained on, the same ones each time, with all that their replay needs.
WITH trained AS (
    SELECT DISTINCT
        chunk_id,
        shard_id
    FROM lineage.model_chunk
    WHERE checkpoint_id = $checkpoint_id
    ORDER BY md5(CAST(chunk_id AS VARCHAR)), shard_id
    LIMIT $n_sampled
)

SELECT
    trained.chunk_id,
    trained.shard_id,
    shard_chunk.token_start,
    shard_chunk.token_end,
    source_file.path,
    source_file.sha256,
    stream.member,
    source_file.licence,
    chunk.byte_start,
    chunk.byte_end,
    chunk.char_start,
    chunk.char_end,
    chunk.encoding,
    chunk.decoder_state,
    CAST(chunk.repair AS VARCHAR) AS repair,
    document.reader,
    document.reader_version,
    CAST(document.encoding_regions AS VARCHAR) AS encoding_regions
FROM trained
INNER JOIN tokens.shard_chunk AS shard_chunk
    ON trained.chunk_id = shard_chunk.chunk_id AND trained.shard_id = shard_chunk.shard_id
LEFT JOIN corpus.chunk AS chunk ON trained.chunk_id = chunk.chunk_id
LEFT JOIN corpus.document AS document ON chunk.document_id = document.document_id
LEFT JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
LEFT JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
ORDER BY source_file.path, stream.ordinal, trained.chunk_id, trained.shard_id;
