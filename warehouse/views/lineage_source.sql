-- From a source file to the models that saw it, and from an evaluation to the files behind its model.

CREATE OR REPLACE VIEW lineage.source_model AS
SELECT source_id, corpus, path, licence, checkpoint_id, experiment, kind, replicate, alias, n_chunks, n_tokens
FROM lineage.model_source
WHERE source_id IS NOT NULL;
COMMENT ON VIEW lineage.source_model IS 'One row a source file and a model that it went into: what must be rebuilt if the file is taken out.';
COMMENT ON COLUMN lineage.source_model.source_id IS 'The source file.';
COMMENT ON COLUMN lineage.source_model.corpus IS 'Name of the corpus.';
COMMENT ON COLUMN lineage.source_model.path IS 'Path of the file.';
COMMENT ON COLUMN lineage.source_model.licence IS 'SPDX expression of the file.';
COMMENT ON COLUMN lineage.source_model.checkpoint_id IS 'A model that was trained on it, or made of one that was.';
COMMENT ON COLUMN lineage.source_model.experiment IS 'The model''s experiment.';
COMMENT ON COLUMN lineage.source_model.kind IS 'trunk, micromodel or mixed_model.';
COMMENT ON COLUMN lineage.source_model.replicate IS 'Number of the bootstrap replicate; NULL for a trunk or a mix.';
COMMENT ON COLUMN lineage.source_model.alias IS 'promoted for the model in use.';
COMMENT ON COLUMN lineage.source_model.n_chunks IS 'Chunks of the file that were trained on, whole or in part.';
COMMENT ON COLUMN lineage.source_model.n_tokens IS 'Tokens of the file that were trained on, repetitions counted.';

CREATE OR REPLACE VIEW lineage.evaluation_source AS
SELECT
    evaluation.checkpoint_id,
    evaluation.recipe,
    evaluation.experiment,
    evaluation.model,
    evaluation.suite,
    evaluation.item_set,
    evaluation.metric,
    evaluation.value,
    evaluation.ci_low,
    evaluation.ci_high,
    checkpoint_source.source_id,
    source_file.corpus,
    coalesce(source_file.path, 'source no longer held') AS path,
    coalesce(source_file.licence, 'source no longer held') AS licence,
    checkpoint_source.n_chunks,
    checkpoint_source.n_tokens
FROM reports.evaluation
JOIN models.checkpoint_source AS checkpoint_source ON checkpoint_source.checkpoint_id = evaluation.checkpoint_id
LEFT JOIN corpus.source_file AS source_file ON source_file.source_id = checkpoint_source.source_id;
COMMENT ON VIEW lineage.evaluation_source IS 'One row an evaluation and a source file that the evaluated model was trained on; baselines that are no checkpoint are not here.';
COMMENT ON COLUMN lineage.evaluation_source.checkpoint_id IS 'The evaluated model.';
COMMENT ON COLUMN lineage.evaluation_source.recipe IS 'The recipe whose splits are the suite.';
COMMENT ON COLUMN lineage.evaluation_source.experiment IS 'The experiment.';
COMMENT ON COLUMN lineage.evaluation_source.model IS 'Readable name of the model.';
COMMENT ON COLUMN lineage.evaluation_source.suite IS 'bits_per_byte, for instance.';
COMMENT ON COLUMN lineage.evaluation_source.item_set IS 'What it was measured on: a split and a corpus, or all.';
COMMENT ON COLUMN lineage.evaluation_source.metric IS 'What was measured.';
COMMENT ON COLUMN lineage.evaluation_source.value IS 'The value.';
COMMENT ON COLUMN lineage.evaluation_source.ci_low IS 'Lower end of the 95 % interval over documents.';
COMMENT ON COLUMN lineage.evaluation_source.ci_high IS 'Upper end.';
COMMENT ON COLUMN lineage.evaluation_source.source_id IS 'The source file; NULL where the database no longer holds it.';
COMMENT ON COLUMN lineage.evaluation_source.corpus IS 'Name of the corpus; NULL where the source is no longer held.';
COMMENT ON COLUMN lineage.evaluation_source.path IS 'Path of the file, or: source no longer held.';
COMMENT ON COLUMN lineage.evaluation_source.licence IS 'SPDX expression of the file, or: source no longer held.';
COMMENT ON COLUMN lineage.evaluation_source.n_chunks IS 'Chunks of the file that the model was trained on, whole or in part.';
COMMENT ON COLUMN lineage.evaluation_source.n_tokens IS 'Tokens of the file that the model was trained on, repetitions counted.';
