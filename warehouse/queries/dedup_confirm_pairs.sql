-- Pairs in doubt that one band proposes: they share its key, and not as ordinary texts of a large bucket.
INSERT INTO confirmed_pair
WITH keyed AS (
    SELECT number, COLUMNS(lambda name: name = $band) AS key
    FROM representative_band
),

ordinary AS (
    SELECT number FROM ordinary_text WHERE band = $band
)

SELECT doubtful_pair.number_a, doubtful_pair.number_b
FROM doubtful_pair
INNER JOIN keyed AS a ON doubtful_pair.number_a = a.number
INNER JOIN keyed AS b ON doubtful_pair.number_b = b.number AND a.key = b.key
LEFT JOIN ordinary AS ordinary_a ON doubtful_pair.number_a = ordinary_a.number
LEFT JOIN ordinary AS ordinary_b ON doubtful_pair.number_b = ordinary_b.number
WHERE ordinary_a.number IS NULL OR ordinary_b.number IS NULL;
