-- Verified links between current texts.
CREATE OR REPLACE TEMPORARY TABLE current_text AS
SELECT
    text_sha256,
    min(chunk_id) AS chunk_id,
    max(priority) AS priority,
    count(*) AS n_chunks
FROM member
WHERE is_current
GROUP BY text_sha256;

CREATE OR REPLACE TEMPORARY TABLE text_link AS
WITH named AS (
    SELECT member.chunk_id, current_text.chunk_id AS text_id
    FROM member
    INNER JOIN current_text ON member.text_sha256 = current_text.text_sha256
    WHERE member.is_current
)

SELECT
    least(a.text_id, b.text_id) AS text_a,
    greatest(a.text_id, b.text_id) AS text_b,
    max(pair.jaccard) AS jaccard
FROM pair
INNER JOIN named AS a ON pair.chunk_a = a.chunk_id
INNER JOIN named AS b ON pair.chunk_b = b.chunk_id
WHERE pair.jaccard >= CAST($threshold AS REAL) AND a.text_id <> b.text_id
GROUP BY ALL;

-- The texts that have links, numbered in the order in which they are visited.
CREATE OR REPLACE TEMPORARY TABLE node AS
SELECT
    current_text.chunk_id,
    CAST(row_number() OVER (
        ORDER BY
            CASE WHEN $by_links THEN linked.n_links ELSE 0 END DESC,
            current_text.priority DESC,
            current_text.chunk_id
    ) - 1 AS INTEGER) AS node
FROM current_text
INNER JOIN (
    SELECT text_id, count(*) AS n_links
    FROM (
        SELECT text_a AS text_id FROM text_link
        UNION ALL
        SELECT text_b FROM text_link
    )
    GROUP BY text_id
) AS linked
    ON current_text.chunk_id = linked.text_id;

CREATE OR REPLACE TEMPORARY TABLE link AS
SELECT
    greatest(a.node, b.node) AS node,
    least(a.node, b.node) AS earlier,
    text_link.jaccard
FROM text_link
INNER JOIN node AS a ON text_link.text_a = a.chunk_id
INNER JOIN node AS b ON text_link.text_b = b.chunk_id;
