-- Replaces what is known of the evaluation files by what they are now, and forgets what was found of what they were.
DELETE FROM corpus.evaluation_set AS known
WHERE NOT EXISTS (FROM evaluation_files AS file WHERE file.file_id = known.file_id AND file.path = known.path);

DELETE FROM corpus.evaluation_item AS item
WHERE
    NOT EXISTS (
        FROM corpus.evaluation_set AS known
        WHERE known.evaluation_set = item.evaluation_set AND known.path = item.path
    );

INSERT INTO corpus.evaluation_item (item_id, evaluation_set, path, ordinal, n_words, is_searched)
SELECT
    item_id,
    evaluation_set,
    path,
    ordinal,
    n_words,
    is_searched
FROM new_items;

INSERT INTO corpus.evaluation_set (evaluation_set, path, sha256, file_id, n_items, n_unsearched)
SELECT
    evaluation_set,
    path,
    sha256,
    file_id,
    n_items,
    n_unsearched
FROM evaluation_files
WHERE evaluation_files.is_new;

DELETE FROM corpus.evaluation_collection AS collection
WHERE NOT EXISTS (FROM corpus.evaluation_set AS known WHERE known.file_id = collection.file_id);

DELETE FROM corpus.contamination
WHERE
    evaluation_set <> 'held_out'
    AND (
        rule_version <> $rule_version
        OR NOT EXISTS (
            FROM corpus.evaluation_item AS item
            WHERE item.evaluation_set = contamination.evaluation_set AND item.item_id = contamination.item_id
        )
    );

DELETE FROM corpus.evaluation_collection WHERE collection_id = $collection_id;

INSERT INTO corpus.evaluation_collection (collection_id, file_id)
SELECT DISTINCT
    $collection_id,
    file_id
FROM evaluation_files;
