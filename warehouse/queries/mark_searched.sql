-- Notes that some chunks were searched for a collection.
DELETE FROM corpus.contamination_search WHERE chunk_id IN (SELECT chunk_id FROM searched);

INSERT INTO corpus.contamination_search (chunk_id, collection_id)
SELECT
    chunk_id,
    $collection_id
FROM searched;
