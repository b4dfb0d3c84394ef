-- Where the band keys of chunks lie; not compared yet.
INSERT INTO corpus.signature (chunk_id, sketch_id, index_file, compared)
SELECT
    chunk_id,
    sketch_id,
    index_file,
    FALSE
FROM signed
ANTI JOIN corpus.signature USING (chunk_id, sketch_id);
