-- The chunks nearest to a bound that it alone decides: on one side kept, on the other dropped for its reason.
-- Their values are those of a query that is put in; the sign is 1 where what is larger is dropped, else -1.
WITH measured AS ($values),

kept AS (
    SELECT measured.chunk_id, measured.value, true AS kept
    FROM measured
    INNER JOIN decision ON measured.chunk_id = decision.chunk_id
    WHERE decision.reason IS NULL AND $sign * (measured.value - $bound) <= 0
    ORDER BY abs(measured.value - $bound), measured.chunk_id
    LIMIT $n_examples
),

dropped AS (
    SELECT measured.chunk_id, measured.value, false AS kept
    FROM measured
    INNER JOIN decision ON measured.chunk_id = decision.chunk_id
    WHERE decision.reason = $reason AND $sign * (measured.value - $bound) >= 0
    ORDER BY abs(measured.value - $bound), measured.chunk_id
    LIMIT $n_examples
)

SELECT
    nearest.chunk_id,
    source_file.corpus,
    source_file.path,
    nearest.kept,
    nearest.value,
    chunk.text_file,
    chunk.text_row
FROM (FROM kept UNION ALL FROM dropped) AS nearest
INNER JOIN corpus.chunk AS chunk ON nearest.chunk_id = chunk.chunk_id
INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
ORDER BY nearest.kept DESC, abs(nearest.value - $bound), nearest.chunk_id
