-- What decides on the chunks of nearby_chunk, as tables of the attached database nearby.
CREATE SCHEMA nearby.corpus;

CREATE SCHEMA nearby.lineage;

CREATE TABLE nearby.corpus.chunk AS
SELECT *
FROM corpus.chunk
WHERE rowid IN (SELECT chunk_row FROM nearby_row);

CREATE TABLE nearby.corpus.document AS
SELECT *
FROM corpus.document
WHERE document_id IN (SELECT document_id FROM nearby.corpus.chunk);

CREATE TABLE nearby.corpus.stream AS
SELECT *
FROM corpus.stream
WHERE stream_id IN (SELECT stream_id FROM nearby.corpus.document);

CREATE TABLE nearby.corpus.source_file AS
SELECT *
FROM corpus.source_file
WHERE source_id IN (SELECT source_id FROM nearby.corpus.stream);

CREATE TABLE nearby.corpus.corpus AS FROM corpus.corpus;

CREATE TABLE nearby.corpus.recipe AS FROM corpus.recipe;

CREATE TABLE nearby.corpus.forgotten AS FROM corpus.forgotten;

CREATE TABLE nearby.corpus.perplexity AS
SELECT *
FROM corpus.perplexity
WHERE chunk_id IN (SELECT chunk_id FROM nearby_chunk);

CREATE TABLE nearby.corpus.duplicate_pair AS
SELECT *
FROM corpus.duplicate_pair
WHERE chunk_a IN (SELECT chunk_id FROM nearby_chunk);

CREATE TABLE nearby.corpus.duplicate_cluster AS
SELECT *
FROM corpus.duplicate_cluster
WHERE chunk_id IN (SELECT chunk_id FROM nearby_chunk);

CREATE TABLE nearby.corpus.repeated_range AS
SELECT *
FROM corpus.repeated_range
WHERE chunk_id IN (SELECT chunk_id FROM nearby_chunk);

CREATE TABLE nearby.corpus.contamination AS
SELECT *
FROM corpus.contamination
WHERE chunk_id IN (SELECT chunk_id FROM nearby_chunk);
