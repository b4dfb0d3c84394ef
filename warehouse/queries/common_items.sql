-- Evaluation items with a passage so common in the corpus that it counts for nothing.
SELECT DISTINCT item_id
FROM corpus.contamination
WHERE NOT counts;
