-- Chunks of current files under a chunking by the part they have in the comparison with held-out text, new ones marked;
-- of held-out chunks of a corpus with the same text the one of the smallest id.
SELECT
    chunk.chunk_id,
    chunk.text_file,
    chunk.text_row,
    chunk.split <> 'train' AS is_held_out,
    search.chunk_id IS NULL AS is_new
FROM corpus.chunk AS chunk
INNER JOIN corpus.current_chunk AS current_chunk ON chunk.chunk_id = current_chunk.chunk_id
LEFT JOIN corpus.held_out_search AS search
    ON chunk.chunk_id = search.chunk_id AND search.rule_version = $rule_version
WHERE chunk.chunking_id = $chunking_id
QUALIFY
    chunk.split = 'train'
    OR row_number() OVER (PARTITION BY chunk.split = 'train', current_chunk.corpus, chunk.text_sha256 ORDER BY chunk.chunk_id) = 1
ORDER BY chunk.text_file, chunk.text_row;
