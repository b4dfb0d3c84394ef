-- References that would be removed because their samples hold chunks which would be forgotten (gone_chunk).
SELECT DISTINCT reference.path
FROM corpus.reference AS reference
INNER JOIN corpus.reference_sample AS sample ON reference.reference_id = sample.reference_id
WHERE reference.kind = 'ngram' AND sample.chunk_id IN (SELECT chunk_id FROM gone_chunk)
ORDER BY reference.path;
