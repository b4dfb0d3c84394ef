-- Takes out of a published copy what the working database does not have, so that the copy can take its place.
DROP TABLE IF EXISTS corpus.chunk_place;
DROP TABLE IF EXISTS meta.published;
DROP VIEW IF EXISTS corpus.chunk_text;
DROP VIEW IF EXISTS corpus.search_posting;
