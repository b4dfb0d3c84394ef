-- Each chunk dropped as a near-duplicate: its file and document, those of the chunk that it resembles, and how much.
WITH
dropped AS (
    SELECT training_chunk.recipe, training_chunk.reason, training_chunk.chunk_id, training_chunk.keeper_id, chunk.text_sha256
    FROM corpus.training_chunk
    JOIN corpus.chunk ON chunk.chunk_id = training_chunk.chunk_id
    WHERE training_chunk.reason IN ('duplicate', 'near_held_out')
),

likeness AS (
    SELECT chunk_a.text_sha256, chunk_b.text_sha256 AS other_sha256, pair.jaccard
    FROM corpus.duplicate_pair AS pair
    JOIN corpus.chunk AS chunk_a ON chunk_a.chunk_id = pair.chunk_a
    JOIN corpus.chunk AS chunk_b ON chunk_b.chunk_id = pair.chunk_b
),

both_ways AS (
    SELECT text_sha256, other_sha256, jaccard FROM likeness
    UNION
    SELECT other_sha256, text_sha256, jaccard FROM likeness
    UNION
    SELECT text_sha256, text_sha256, 1 FROM dropped
),

-- What is too near to held-out text names the held-out chunk that it resembles most, its keeper or not.
held_out AS (
    SELECT dropped.recipe, dropped.chunk_id, arg_max(other.chunk_id, both_ways.jaccard) AS keeper_id
    FROM dropped
    JOIN both_ways ON both_ways.text_sha256 = dropped.text_sha256
    JOIN corpus.chunk AS other ON other.text_sha256 = both_ways.other_sha256 AND other.split <> 'train'
    WHERE dropped.reason = 'near_held_out'
    GROUP BY dropped.recipe, dropped.chunk_id
),

matched AS (
    SELECT dropped.* REPLACE (coalesce(held_out.keeper_id, dropped.keeper_id) AS keeper_id)
    FROM dropped
    LEFT JOIN held_out ON held_out.recipe = dropped.recipe AND held_out.chunk_id = dropped.chunk_id
)

SELECT
    matched.recipe, matched.reason, source_file.corpus, source_file.path, source_file.document_id, matched.chunk_id,
    matched.keeper_id, keeper_file.document_id AS keeper_document_id, keeper_file.path AS keeper_path,
    max(both_ways.jaccard) AS jaccard -- NULL: the two resemble a third, the centre of their cluster.
FROM matched
JOIN lineage.chunk_source AS source_file ON source_file.chunk_id = matched.chunk_id
JOIN lineage.chunk_source AS keeper_file ON keeper_file.chunk_id = matched.keeper_id
JOIN corpus.chunk AS keeper ON keeper.chunk_id = matched.keeper_id
LEFT JOIN both_ways
    ON both_ways.text_sha256 = matched.text_sha256 AND both_ways.other_sha256 = keeper.text_sha256
GROUP BY ALL
ORDER BY matched.recipe, source_file.corpus, source_file.path, matched.chunk_id;
