-- Documents that stayed although they resemble what was forgotten for the sake of some contents.
SELECT
    chunk_source.document_id,
    chunk_source.path,
    likeness.likeness,
    count(DISTINCT likeness.chunk_id) AS n_chunks
FROM corpus.forgotten_likeness AS likeness
INNER JOIN lineage.chunk_source AS chunk_source ON likeness.chunk_id = chunk_source.chunk_id
WHERE likeness.sha256 IN (SELECT unnest(CAST($sha256s AS BLOB [])))
GROUP BY chunk_source.document_id, chunk_source.path, likeness.likeness
ORDER BY likeness.likeness DESC, chunk_source.path, chunk_source.document_id;
