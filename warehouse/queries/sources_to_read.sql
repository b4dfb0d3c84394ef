-- Current files that no, or another, version of the cleanser examined, and those with documents that bear no hash yet.
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
        -- An earlier version did not hash documents, and a hash is what forgetting goes by.
        OR EXISTS (
            FROM corpus.stream AS stream
            INNER JOIN corpus.document AS document ON stream.stream_id = document.stream_id
            WHERE stream.source_id = source_file.source_id AND document.raw_sha256 IS NULL
        )
    )
ORDER BY corpus, path;
