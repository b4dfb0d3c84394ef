-- What the migration runner itself needs.
CREATE SCHEMA IF NOT EXISTS meta;

CREATE TABLE IF NOT EXISTS meta.schema_version (
    version INTEGER NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL
);

COMMENT ON TABLE meta.schema_version IS 'One row a migration that was applied.';
COMMENT ON COLUMN meta.schema_version.version IS 'Number of the migration.';
COMMENT ON COLUMN meta.schema_version.applied_at IS 'When it was applied.';
