-- An expression over corpus.chunk_metadata as a statement.
SELECT ($expression) FROM corpus.chunk_metadata
