-- Which published copy this is.
SELECT
    version,
    CAST(home AS VARCHAR) || ' ' || CAST(epoch_us(published_at) AS VARCHAR) AS identity
FROM meta.published;
