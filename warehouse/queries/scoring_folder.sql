-- Perplexity references and models whose ids begin as asked, and their folders below references/ or models/.
SELECT
    'references' AS room,
    path
FROM corpus.reference
WHERE kind <> 'tokenizer' AND starts_with(CAST(reference_id AS VARCHAR), $id)
UNION ALL
SELECT
    'models' AS room,
    path
FROM models.checkpoint
WHERE starts_with(CAST(checkpoint_id AS VARCHAR), $id);
