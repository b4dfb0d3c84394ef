SELECT parent_id::VARCHAR AS parent_id, relation, weight
FROM models.checkpoint_parent
WHERE checkpoint_id = $id
ORDER BY weight DESC, parent_id
LIMIT $limit;
