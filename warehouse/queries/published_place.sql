-- From where a copy was published, and when, in microseconds since the epoch.
SELECT
    home,
    epoch_us(published_at) AS published_microseconds
FROM meta.published;
