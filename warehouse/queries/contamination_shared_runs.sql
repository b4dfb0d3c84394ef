-- Of each training chunk the held-out chunks of whose runs of words it holds the largest shares. Several, because a recipe
-- may drop some of them; not all, because a footer may stand in every one.
WITH held_out AS (
    SELECT
        chunk_id,
        run
    FROM read_parquet($held_out)
),

size AS (
    SELECT
        chunk_id,
        count(*) AS n_runs
    FROM held_out
    GROUP BY chunk_id
),

shared AS (
    SELECT
        training.chunk_id,
        held_out.chunk_id AS held_out_id,
        count(*) AS n_shared
    FROM read_parquet($training) AS training
    INNER JOIN held_out ON training.run = held_out.run
    GROUP BY ALL
),

share AS (
    SELECT
        shared.chunk_id,
        shared.held_out_id,
        CAST(shared.n_shared AS DOUBLE) / size.n_runs AS share
    FROM shared
    INNER JOIN size ON shared.held_out_id = size.chunk_id
    WHERE CAST(shared.n_shared AS DOUBLE) / size.n_runs >= $min_share
)

SELECT
    chunk_id,
    held_out_id,
    CAST(share AS REAL) AS share
FROM share
QUALIFY row_number() OVER (PARTITION BY chunk_id ORDER BY share DESC, held_out_id) <= $most_held_out
ORDER BY chunk_id, held_out_id;
