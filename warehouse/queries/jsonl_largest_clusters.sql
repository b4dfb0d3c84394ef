-- The clusters with the most rows. An older keeper is no row of the searched file, and counts as a member.
SELECT
    keeper_id,
    count(*) + CASE WHEN keeper_source > 0 THEN 1 ELSE 0 END AS n_members,
    min(jaccard) AS least_jaccard
FROM jsonl_member
GROUP BY keeper_id, keeper_source
ORDER BY n_members DESC, keeper_id, keeper_source
LIMIT $n;
