-- What later stages may see of the current files.
SELECT
    source_file.source_id,
    source_file.licence,
    source_file.sha256 IS NULL AS unreadable,
    corpus.weight
FROM corpus.source_file AS source_file
INNER JOIN corpus.corpus AS corpus ON source_file.corpus = corpus.corpus
WHERE source_file.retired_at IS NULL
ORDER BY source_file.source_id;
