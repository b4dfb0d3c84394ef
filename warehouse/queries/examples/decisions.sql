-- Lineage of chunks: what was decided on each, of the file with the smallest path.
SELECT chunk_decision.*
FROM lineage.chunk_decision
JOIN lineage.chunk_source ON chunk_source.chunk_id = chunk_decision.chunk_id
WHERE chunk_source.path = (SELECT min(path) FROM corpus.source_file WHERE retired_at IS NULL)
ORDER BY chunk_decision.chunk_id, chunk_decision.recipe;
