-- Ranked search over the word index: macros of published copies, made after the view corpus.search_posting that they read.

-- Okapi BM25 (Robertson and Zaragoza 2009, The Probabilistic Relevance Framework, section 3) with k1 = 1.2, b = 0.75 and
-- the logarithm's argument raised by 1, so that no word counts against a text. A word counts once however often the
-- question repeats it. Sums are of whole billionths, so that they are the same in any order.
CREATE OR REPLACE MACRO corpus.search_scores(question) AS TABLE
WITH
wanted AS MATERIALIZED (
    SELECT unnest(words) AS word, generate_subscripts(words, 1) AS number
    FROM (SELECT corpus.search_query_words(question) AS words)
),

posting AS MATERIALIZED (
    SELECT wanted.number, posting.text, posting.times, posting.n_words
    FROM corpus.search_posting AS posting
    JOIN wanted ON posting.word = wanted.word
    ANTI JOIN corpus.search_omission AS omission ON posting.text = omission.text
),

total AS MATERIALIZED (
    SELECT
        (SELECT sum(n_chunks) FROM corpus.search_index) - (SELECT count(*) FROM corpus.search_omission) AS n_chunks,
        (SELECT sum(n_words) FROM corpus.search_index)
        - (SELECT coalesce(sum(n_words), 0) FROM corpus.search_omission) AS n_words
),

weight AS MATERIALIZED (
    SELECT
        posting.number,
        2.2e9 * ln(1 + (total.n_chunks - count(*) + 0.5) / (count(*) + 0.5)) AS rarity,
        total.n_chunks::DOUBLE / total.n_words AS per_mean
    FROM posting, total
    GROUP BY posting.number, total.n_chunks, total.n_words
)

SELECT
    posting.text,
    sum(round(
        weight.rarity * posting.times
        / (posting.times + 1.2e0 * (0.25e0 + 0.75e0 * posting.n_words * weight.per_mean))
    )::BIGINT)::BIGINT / 1e9 AS score,
    count(*) AS n_words_found
FROM posting
JOIN weight ON posting.number = weight.number
GROUP BY posting.text;
COMMENT ON MACRO TABLE corpus.search_scores IS 'Every text that holds a word of the question: its number as in corpus.search_posting, its BM25 score, how many different words of the question it holds.';

-- What ties with the last one is kept until chunks are told apart by their ids, so that the answer is always the same.
CREATE OR REPLACE MACRO corpus.search(question, n := 20, least := 1) AS TABLE
WITH
scored AS MATERIALIZED (
    SELECT * FROM corpus.search_scores(question) WHERE n_words_found >= least
),

best AS MATERIALIZED (
    SELECT * FROM scored
    WHERE score >= (SELECT min(score) FROM (SELECT score FROM scored ORDER BY score DESC LIMIT n))
),

located AS MATERIALIZED (
    SELECT search_index.text_file, (best.text & 4294967295)::INTEGER AS text_row, best.score, best.n_words_found
    FROM best
    JOIN corpus.search_index ON search_index.file_number = best.text >> 32
)

SELECT chunk.chunk_id, located.score, located.n_words_found, chunk.document_id, chunk.n_characters
FROM located
JOIN corpus.chunk ON chunk.text_file = located.text_file AND chunk.text_row = located.text_row
ORDER BY located.score DESC, chunk.chunk_id
LIMIT n;
COMMENT ON MACRO TABLE corpus.search IS 'The n chunks that answer a question best and hold at least so many of its words, best first: chunk_id, score (BM25), n_words_found, document_id, n_characters.';
