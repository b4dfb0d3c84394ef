-- What a stage that commits in steps has begun and not finished.

CREATE TABLE meta.unfinished (
    asset VARCHAR NOT NULL,
    scope VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE meta.unfinished IS 'One row a stage that is under way, or was when its process ended: the next build runs it whatever its inputs are.';
COMMENT ON COLUMN meta.unfinished.asset IS 'Asset key, schema/table.';
COMMENT ON COLUMN meta.unfinished.scope IS 'Recipe, or empty where a stage serves all recipes.';
COMMENT ON COLUMN meta.unfinished.run_id IS 'Dagster run that began it, or the process where there was none.';
COMMENT ON COLUMN meta.unfinished."at" IS 'When it began.';

COMMENT ON COLUMN meta.materialization.data_version IS 'What stages after it compare: a hash of the result, or of what it was made from.';
