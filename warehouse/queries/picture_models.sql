-- The models of an experiment with what they were made of; a row without parent for those that began anew.
SELECT
    checkpoint.checkpoint_id::VARCHAR AS checkpoint_id,
    checkpoint.kind,
    checkpoint.replicate,
    checkpoint_parent.parent_id::VARCHAR AS parent_id,
    checkpoint_parent.relation,
    checkpoint_parent.weight
FROM models.checkpoint
LEFT JOIN models.checkpoint_parent ON checkpoint_parent.checkpoint_id = checkpoint.checkpoint_id
WHERE checkpoint.experiment = $experiment
ORDER BY checkpoint.kind, checkpoint.replicate, parent_id;
