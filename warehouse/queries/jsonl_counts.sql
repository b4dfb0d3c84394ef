-- What was found in the searched file.
SELECT
    count(*) FILTER (source = 0) AS n_rows,
    count(*) FILTER (source > 0) AS n_older_rows,
    (SELECT count(DISTINCT (keeper_source, keeper_id)) FROM jsonl_member) AS n_clusters,
    (SELECT count(*) FROM jsonl_member WHERE NOT kept) AS n_dropped,
    (SELECT count(*) FROM jsonl_member WHERE keeper_source > 0) AS n_dropped_for_older
FROM jsonl_row;
