-- Wanted files whose examination has not ended, or gave no stream: chunks may stem from an earlier one.
SELECT source_file.path
FROM corpus.source_file AS source_file
SEMI JOIN wanted ON source_file.sha256 = wanted.sha256 AND wanted.scope = 'file'
WHERE
    source_file.status = 'found'
    OR (
        source_file.status IN ('partial', 'failed')
        AND source_file.source_id NOT IN (SELECT source_id FROM corpus.stream)
        AND source_file.source_id NOT IN (SELECT source_id FROM corpus.past_stream)
    )
ORDER BY source_file.path;
