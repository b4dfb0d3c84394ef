-- Source files that are wanted by the hash of their bytes.
SELECT source_file.source_id
FROM corpus.source_file AS source_file
SEMI JOIN wanted ON source_file.sha256 = wanted.sha256 AND wanted.scope = 'file';
