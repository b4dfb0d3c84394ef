-- Under which licences stood what each model was trained on.
SELECT checkpoint.experiment, checkpoint.kind, checkpoint.replicate, model_licence.licence, n_files, n_chunks, n_tokens
FROM lineage.model_licence
JOIN models.checkpoint ON checkpoint.checkpoint_id = model_licence.checkpoint_id
ORDER BY checkpoint.created_at DESC, checkpoint.kind, checkpoint.replicate, n_tokens DESC;
