-- The chunks that surprise the perplexity reference most: often tables, lists and other languages.
SELECT source_file.corpus, source_file.path, perplexity.chunk_id, perplexity.bits_per_byte, chunk.n_words
FROM corpus.perplexity
JOIN corpus.chunk ON chunk.chunk_id = perplexity.chunk_id
JOIN lineage.chunk_source AS source_file ON source_file.chunk_id = chunk.chunk_id
ORDER BY perplexity.bits_per_byte DESC
LIMIT 50;
