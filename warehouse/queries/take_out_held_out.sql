-- Takes out what was found of held-out chunks that are none any more; who held most of one is compared again.
DELETE FROM corpus.held_out_search
WHERE
    rule_version <> $rule_version
    OR chunk_id NOT IN (SELECT chunk_id FROM corpus.current_chunk)
    OR chunk_id IN (
        SELECT chunk_id
        FROM corpus.contamination
        WHERE
            evaluation_set = 'held_out'
            AND item_id NOT IN (SELECT chunk_id FROM corpus.current_chunk WHERE split <> 'train')
    );

DELETE FROM corpus.contamination
WHERE
    evaluation_set = 'held_out'
    AND (
        rule_version <> $rule_version
        OR item_id NOT IN (SELECT chunk_id FROM corpus.current_chunk WHERE split <> 'train')
    );
