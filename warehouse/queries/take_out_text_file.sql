-- Chunks whose text is lost, with everything that was said of them: the next build cuts their documents again.
DELETE FROM corpus.dropped
USING corpus.chunk AS chunk, corpus.document AS document
WHERE
    chunk.text_file = $text_file
    AND chunk.document_id = document.document_id
    AND dropped.stream_id = document.stream_id
    AND dropped.byte_start >= document.byte_start
    AND dropped.byte_end <= document.byte_end
    AND dropped.chunking_id = chunk.chunking_id;

DELETE FROM corpus.private_range
WHERE chunk_id IN (
    SELECT whole.chunk_id
    FROM corpus.chunk AS lost
    INNER JOIN corpus.chunk AS whole ON lost.document_id = whole.document_id AND lost.chunking_id = whole.chunking_id
    WHERE lost.text_file = $text_file
);

DELETE FROM corpus.chunk
WHERE (document_id, chunking_id) IN (
    SELECT (document_id, chunking_id)
    FROM corpus.chunk
    WHERE text_file = $text_file
);

DELETE FROM meta.materialization
WHERE asset IN ('corpus/chunk', 'corpus/repeated_passage', 'corpus/search_index', 'corpus/duplicate', 'corpus/perplexity', 'corpus/training_chunk', 'tokens/shard');
