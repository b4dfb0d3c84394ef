-- Band keys that are lost: the next build hashes their chunks again.
DELETE FROM corpus.signature
WHERE index_file = $index_file;

DELETE FROM meta.materialization
WHERE asset = 'corpus/duplicate';
