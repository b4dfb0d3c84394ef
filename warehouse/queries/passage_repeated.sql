-- Which of the passages in index files stand in two or more documents, and where: temporary tables of a scratch database.
CREATE OR REPLACE TEMP TABLE member AS
FROM read_parquet($members);

CREATE OR REPLACE TEMP TABLE occurrence AS
SELECT
    passage.passage_id,
    passage.is_line,
    passage.char_start,
    passage.char_end,
    member.chunk_id,
    member.original_id,
    member.ordinal,
    member.corpus,
    member.is_held_out
FROM read_parquet($index_files) AS passage
INNER JOIN member ON passage.chunk_id = member.chunk_id
SEMI JOIN (
    SELECT candidate.passage_id
    FROM read_parquet($index_files) AS candidate
    INNER JOIN member ON candidate.chunk_id = member.chunk_id
    GROUP BY candidate.passage_id
    HAVING min(member.original_id) <> max(member.original_id)
) AS repeated ON passage.passage_id = repeated.passage_id;

CREATE OR REPLACE TEMP TABLE counted AS
SELECT
    passage_id,
    count(*) AS n_documents
FROM (SELECT DISTINCT passage_id, original_id FROM occurrence) AS held
GROUP BY passage_id;

-- The first copy in a corpus: of those to train on, where there are some, that of the smallest document, then the
-- earliest place in it.
CREATE OR REPLACE TEMP TABLE first_copy AS
SELECT
    passage_id,
    corpus,
    min({'is_held_out': is_held_out, 'original_id': original_id, 'ordinal': ordinal, 'char_start': char_start}) AS place
FROM occurrence
GROUP BY passage_id, corpus;

CREATE OR REPLACE TEMP TABLE place AS
SELECT
    occurrence.*,
    counted.n_documents,
    CASE WHEN occurrence.is_line THEN coalesce(paragraph.n_documents, 1) ELSE 0 END AS paragraph_documents,
    first_copy.place
    = {
        'is_held_out': occurrence.is_held_out,
        'original_id': occurrence.original_id,
        'ordinal': occurrence.ordinal,
        'char_start': occurrence.char_start
    } AS is_first
FROM occurrence
INNER JOIN counted ON occurrence.passage_id = counted.passage_id
INNER JOIN first_copy ON occurrence.passage_id = first_copy.passage_id AND occurrence.corpus = first_copy.corpus
LEFT JOIN (
    SELECT
        around.chunk_id,
        around.char_start,
        around.char_end,
        counted.n_documents
    FROM occurrence AS around
    INNER JOIN counted ON around.passage_id = counted.passage_id
    WHERE NOT around.is_line
) AS paragraph
    ON
        occurrence.is_line
        AND occurrence.chunk_id = paragraph.chunk_id
        AND occurrence.char_start >= paragraph.char_start
        AND occurrence.char_end <= paragraph.char_end;
