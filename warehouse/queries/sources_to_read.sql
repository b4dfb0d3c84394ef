-- Current files that no, or another, version of the cleanser examined.
SELECT
    source_id,
    corpus,
    path,
    sha256,
    n_bytes
FROM corpus.source_file AS source_file
WHERE
    retired_at IS NULL
    AND sha256 IS NOT NULL
    AND status <> 'empty'
    AND sha256 NOT IN (SELECT sha256 FROM corpus.forgotten WHERE scope = 'file')
    AND (
        status = 'found'
        OR NOT EXISTS (
            FROM corpus.stream AS stream
            WHERE stream.source_id = source_file.source_id AND stream.code_version = $code_version
        )
    )
ORDER BY corpus, path;
