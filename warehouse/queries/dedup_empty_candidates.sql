-- Tables that the bands fill one after the other.
CREATE OR REPLACE TEMPORARY TABLE candidate (chunk_a BIGINT, chunk_b BIGINT);
CREATE OR REPLACE TEMPORARY TABLE large_bucket (band VARCHAR, n_texts BIGINT, n_pairs_left_out BIGINT);
CREATE OR REPLACE TEMPORARY TABLE ordinary_text (number BIGINT, band VARCHAR);
