-- Chunks whose passages were read.
INSERT INTO corpus.passage_index (chunk_id, rule, index_file)
SELECT
    chunk_id,
    rule,
    index_file
FROM indexed
ANTI JOIN corpus.passage_index USING (chunk_id, rule);
