-- The repeated passages of a chunking, whole.
DELETE FROM corpus.repeated_range
WHERE chunking_id = $chunking_id;

DELETE FROM corpus.repeated_passage
WHERE chunking_id = $chunking_id;

INSERT INTO corpus.repeated_range (
    chunk_id, chunking_id, passage_id, level, n_documents, paragraph_documents, is_first, char_start, char_end
)
SELECT
    chunk_id,
    $chunking_id AS chunking_id,
    passage_id,
    level,
    n_documents,
    paragraph_documents,
    is_first,
    char_start,
    char_end
FROM read_parquet($ranges);

INSERT INTO corpus.repeated_passage (
    passage_id, chunking_id, level, n_documents, n_occurrences, n_characters, first_chunk_id
)
SELECT
    passage_id,
    $chunking_id AS chunking_id,
    level,
    n_documents,
    n_occurrences,
    n_characters,
    first_chunk_id
FROM read_parquet($passages);
