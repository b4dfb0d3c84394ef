-- The row that stands for each corpus and path: the current one, else the one that was retired last.
SELECT
    source_id,
    corpus,
    path,
    licence,
    n_bytes,
    modified_ns,
    changed_ns,
    status,
    retired_at IS NULL AS current,
    sha256 IS NOT NULL AS readable
FROM corpus.source_file
QUALIFY row_number() OVER (
    PARTITION BY corpus, path ORDER BY retired_at IS NULL DESC, retired_at DESC, source_id
) = 1;
