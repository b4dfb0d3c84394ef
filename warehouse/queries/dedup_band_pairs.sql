-- Candidates of one band: pairs of current texts that share its key and that the last comparison did not propose for it.
-- The first of two texts in order of number is the centre, if one is.
INSERT INTO candidate
SELECT
    a.number AS chunk_a,
    b.number AS chunk_b
FROM bucketed AS a
INNER JOIN bucketed AS b
    ON a.key = b.key AND a.number < b.number
WHERE
    a.is_changed
    AND a.meets_all
    AND b.is_current
    AND NOT (a.met_all AND b.was_known);
