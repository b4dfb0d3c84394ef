-- The last commits of every stage: what was made, how long it took, how much memory.
SELECT "at", asset, scope, n_rows, round(seconds, 1) AS seconds, (peak_memory_bytes / 1048576)::BIGINT AS peak_memory_mib
FROM meta.materialization
ORDER BY "at" DESC
LIMIT 50;
