-- inspected: what a scan hashed. Other rows of the same corpus and path are retired; a content that was there
-- before comes back under its old id, with what was made of it.
UPDATE corpus.source_file
SET retired_at = now()
FROM inspected
WHERE
    source_file.corpus = inspected.corpus
    AND source_file.path = inspected.path
    AND source_file.source_id <> inspected.source_id
    AND source_file.retired_at IS NULL;

UPDATE corpus.source_file
SET
    retired_at = NULL,
    modified_ns = inspected.modified_ns,
    changed_ns = inspected.changed_ns,
    licence = inspected.licence,
    status = CASE WHEN inspected.status = 'found' THEN source_file.status ELSE inspected.status END,
    error = CASE WHEN inspected.status = 'found' THEN source_file.error ELSE inspected.error END
FROM inspected
WHERE source_file.source_id = inspected.source_id;

INSERT INTO corpus.source_file (
    source_id, corpus, path, sha256, n_bytes, modified_ns, changed_ns, media_type, licence, first_seen_at, status, error
)
SELECT
    source_id,
    corpus,
    path,
    sha256,
    n_bytes,
    modified_ns,
    changed_ns,
    media_type,
    licence,
    now(),
    status,
    error
FROM inspected
ANTI JOIN corpus.source_file USING (source_id);

-- What must not come back is recorded as found, and never read.
UPDATE corpus.source_file
SET status = 'forgotten', error = NULL
WHERE status <> 'forgotten' AND sha256 IN (SELECT sha256 FROM corpus.forgotten WHERE scope = 'file');
