-- The sources of every model for which none are counted yet: its own training's and its ancestors'.
INSERT INTO models.checkpoint_source (checkpoint_id, source_id, n_chunks, n_tokens)
SELECT
    model_chunk.checkpoint_id,
    stream.source_id,
    count(DISTINCT model_chunk.chunk_id),
    CAST(sum((model_chunk.token_end - model_chunk.token_start) * model_chunk.times) AS BIGINT)
FROM lineage.model_chunk AS model_chunk
SEMI JOIN (FROM models.checkpoint ANTI JOIN models.checkpoint_source USING (checkpoint_id)) AS uncounted
    ON model_chunk.checkpoint_id = uncounted.checkpoint_id
LEFT JOIN corpus.chunk AS chunk ON model_chunk.chunk_id = chunk.chunk_id
LEFT JOIN corpus.document AS document ON chunk.document_id = document.document_id
LEFT JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
GROUP BY model_chunk.checkpoint_id, stream.source_id
ORDER BY model_chunk.checkpoint_id, stream.source_id;
