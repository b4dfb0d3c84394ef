-- What only a published copy has: $version, the number of the copy, and $home, the folder whose files it names.
CREATE OR REPLACE TABLE meta.published AS
SELECT
    $version::INTEGER AS version,
    $home AS home,
    now() AS published_at;

COMMENT ON TABLE meta.published IS 'One row: which published copy this is (only in published copies).';
COMMENT ON COLUMN meta.published.version IS 'Number of the copy: published/<version>.duckdb.';
COMMENT ON COLUMN meta.published.home IS 'Absolute path of the home when it was published; text files lie below it.';
COMMENT ON COLUMN meta.published.published_at IS 'When it was published.';
