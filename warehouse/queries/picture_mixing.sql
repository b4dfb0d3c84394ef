SELECT parent.kind, parent.replicate, checkpoint_parent.weight
FROM models.checkpoint
JOIN models.checkpoint_parent ON checkpoint_parent.checkpoint_id = checkpoint.checkpoint_id
JOIN models.checkpoint AS parent ON parent.checkpoint_id = checkpoint_parent.parent_id
WHERE checkpoint.experiment = $experiment AND checkpoint_parent.relation = 'mix'
ORDER BY parent.replicate;
