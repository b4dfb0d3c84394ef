-- Band keys, passages or words that are lost: the next build reads their chunks again.
-- What the last join proposed cannot be told without them: all is compared again.
UPDATE corpus.signature
SET compared = FALSE
WHERE compared AND $index_file IN (SELECT index_file FROM corpus.signature);

DELETE FROM corpus.signature
WHERE index_file = $index_file;

DELETE FROM corpus.passage_index
WHERE index_file = $index_file;

DELETE FROM corpus.search_index
WHERE index_file = $index_file;

DELETE FROM meta.materialization
WHERE asset IN ('corpus/duplicate', 'corpus/repeated_passage', 'corpus/search_index');
