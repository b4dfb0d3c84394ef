SELECT checkpoint_id::VARCHAR AS checkpoint_id
FROM models.checkpoint
WHERE experiment = $id
ORDER BY CASE kind WHEN 'mixed_model' THEN 0 WHEN 'micromodel' THEN 1 ELSE 2 END, replicate, step DESC
LIMIT $limit;
