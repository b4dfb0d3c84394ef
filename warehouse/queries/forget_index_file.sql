-- Band keys or passages that are lost: the next build hashes their chunks again.
DELETE FROM corpus.signature
WHERE index_file = $index_file;

DELETE FROM corpus.passage_index
WHERE index_file = $index_file;

DELETE FROM meta.materialization
WHERE asset IN ('corpus/duplicate', 'corpus/repeated_passage');
