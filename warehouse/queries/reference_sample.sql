-- The sample that a reference is trained on: training texts of some corpora at random, each text once, up to a size.
-- The draws are those of `choose_sample` and `assign_folds` in warehouse/perplexity/calibration.py.
WITH
candidate AS (
    SELECT
        min(chunk_id) AS chunk_id,
        any_value(n_bytes) AS n_bytes
    FROM corpus.current_chunk
    WHERE
        chunking_id = $chunking_id
        AND split = 'train'
        AND n_bytes > 0
        AND list_contains(CAST($corpora AS VARCHAR []), corpus)
    GROUP BY text_sha256
),

drawn AS (
    SELECT
        chunk_id,
        n_bytes,
        sum(n_bytes) OVER (
            ORDER BY meta.uniform_draw(CAST(chunk_id AS VARCHAR), $seed), chunk_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS total
    FROM candidate
)

SELECT
    drawn.chunk_id,
    CAST(
        floor(
            meta.uniform_draw(
                CAST(coalesce(duplicate_cluster.cluster_id, drawn.chunk_id) AS VARCHAR), $seed || '-fold'
            ) * $n_folds
        ) AS SMALLINT
    ) AS fold,
    chunk.n_bytes,
    chunk.text_file,
    chunk.text_row
FROM drawn
INNER JOIN corpus.chunk AS chunk ON drawn.chunk_id = chunk.chunk_id
LEFT JOIN corpus.duplicate_cluster AS duplicate_cluster
    ON drawn.chunk_id = duplicate_cluster.chunk_id AND duplicate_cluster.threshold = CAST($threshold AS REAL)
WHERE drawn.total <= $sample_bytes OR drawn.total = drawn.n_bytes
ORDER BY chunk.text_file, chunk.text_row;
