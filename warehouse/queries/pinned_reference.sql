-- The newest pin of a kind for a definition.
SELECT
    reference_id,
    path
FROM corpus.reference
WHERE kind = ? AND CAST(definition AS VARCHAR) = ?
ORDER BY pinned_at DESC
LIMIT 1;
