-- Adds which held-out chunks each training chunk holds most of.
INSERT INTO corpus.contamination (chunk_id, evaluation_set, item_id, rule, score, n_words, counts, rule_version)
SELECT
    chunk_id,
    'held_out',
    held_out_id,
    'near_duplicate',
    share,
    $long_words,
    TRUE,
    $rule_version
FROM found;

DELETE FROM corpus.contamination
WHERE rowid IN (
    SELECT rowid
    FROM corpus.contamination
    WHERE evaluation_set = 'held_out'
    QUALIFY row_number() OVER (PARTITION BY chunk_id ORDER BY score DESC, item_id) > $most_held_out
);

INSERT INTO corpus.held_out_search (chunk_id, rule_version)
SELECT
    chunk_id,
    $rule_version
FROM compared;
