-- What tells this home from every other: its salt and when it was made.
SELECT
    split_salt,
    epoch_us(created_at)
FROM meta.home;
