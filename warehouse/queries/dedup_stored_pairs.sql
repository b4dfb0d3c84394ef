-- Stored pairs under today's numbers. In doubt is one whose texts are both ordinary texts of large buckets.
CREATE OR REPLACE TEMPORARY TABLE stored_pair AS
SELECT
    stored.chunk_a,
    stored.chunk_b,
    a.number AS number_a,
    b.number AS number_b
FROM read_parquet($stored) AS stored
LEFT JOIN (SELECT chunk_id, number FROM representative WHERE is_current AND was_known) AS a
    ON stored.chunk_a = a.chunk_id
LEFT JOIN (SELECT chunk_id, number FROM representative WHERE is_current AND was_known) AS b
    ON stored.chunk_b = b.chunk_id;

CREATE OR REPLACE TEMPORARY TABLE doubtful_pair AS
SELECT DISTINCT stored_pair.number_a, stored_pair.number_b
FROM stored_pair
INNER JOIN ordinary_text AS a ON stored_pair.number_a = a.number
INNER JOIN ordinary_text AS b ON stored_pair.number_b = b.number AND a.band = b.band;

CREATE OR REPLACE TEMPORARY TABLE confirmed_pair (number_a BIGINT, number_b BIGINT);
