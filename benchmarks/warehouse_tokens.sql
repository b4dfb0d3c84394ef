-- Of each made-up document that has its raw file: its shard, where it begins there, and its texts in the order of their tokens.
SELECT
    shard.path,
    min(shard_chunk.token_start) AS token_start,
    min(chunk.text_file) AS text_file,
    list(chunk.text_row ORDER BY shard_chunk.token_start) AS text_rows
FROM corpus.source_file
INNER JOIN corpus.stream USING (source_id)
INNER JOIN corpus.document USING (stream_id)
INNER JOIN corpus.chunk USING (document_id)
INNER JOIN tokens.shard_chunk USING (chunk_id)
INNER JOIN tokens.shard USING (shard_id)
WHERE regexp_matches(source_file.path, '/file[0-9]*1\.txt$') AND CAST(regexp_extract(source_file.path, 'file([0-9]+)', 1) AS INTEGER) % 1000 = 1
GROUP BY chunk.document_id, shard.path
ORDER BY shard.path, token_start;
