-- The first line that repeats an id of its file, and the line where the id stands already.
SELECT source, id, lines[2] AS line_number, lines[1] AS first_line
FROM (
    SELECT source, id, min(line_number, 2) AS lines
    FROM jsonl_row
    GROUP BY source, id
    HAVING count(*) > 1
)
ORDER BY source, line_number
LIMIT 1;
