-- Adds what a batch of chunks was found to hold.
INSERT INTO corpus.contamination (chunk_id, evaluation_set, item_id, rule, score, n_words, counts, rule_version)
SELECT
    found.chunk_id,
    item.evaluation_set,
    found.item_id,
    found.rule,
    found.score,
    found.n_words,
    TRUE,
    $rule_version
FROM found
INNER JOIN (SELECT DISTINCT evaluation_set, item_id FROM corpus.evaluation_item) AS item
    ON found.item_id = item.item_id
WHERE
    NOT EXISTS (
        FROM corpus.contamination AS known
        WHERE
            known.chunk_id = found.chunk_id
            AND known.item_id = found.item_id
            AND known.evaluation_set = item.evaluation_set
            AND known.rule = found.rule
    );
