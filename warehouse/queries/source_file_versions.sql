-- What later stages may see of the current files, a hash each: which can be read, which cannot, licences and weights.
WITH current_file AS (
    SELECT
        source_file.source_id,
        source_file.corpus,
        source_file.licence,
        corpus.licence AS usual_licence,
        corpus.weight,
        source_file.sha256 IS NOT NULL
        AND source_file.status <> 'empty'
        AND source_file.sha256 NOT IN (SELECT sha256 FROM corpus.forgotten WHERE scope = 'file') AS is_readable
    FROM corpus.source_file AS source_file
    INNER JOIN corpus.corpus AS corpus ON source_file.corpus = corpus.corpus
    WHERE source_file.retired_at IS NULL
),

part AS (
    SELECT
        CASE WHEN is_readable THEN 'files' ELSE 'unread' END AS name,
        CAST(source_id AS VARCHAR) AS value
    FROM current_file
    UNION ALL
    -- A file's own licence, and the usual one of each corpus: so that one more file of the usual licence changes neither.
    SELECT
        'licences',
        source_id || ' ' || licence
    FROM current_file
    WHERE is_readable AND licence <> usual_licence
    UNION ALL
    SELECT DISTINCT
        'licences',
        corpus || ' ' || usual_licence
    FROM current_file
    WHERE is_readable
    UNION ALL
    SELECT DISTINCT
        'weights',
        corpus || ' ' || weight
    FROM current_file
    WHERE is_readable
)

SELECT
    count(*) FILTER (name = 'files') || '-' || coalesce(bit_xor(md5_number(value)) FILTER (name = 'files'), 0) AS files,
    count(*) FILTER (name = 'licences') || '-'
    || coalesce(bit_xor(md5_number(value)) FILTER (name = 'licences'), 0) AS licences,
    count(*) FILTER (name = 'unread') || '-' || coalesce(bit_xor(md5_number(value)) FILTER (name = 'unread'), 0) AS unread,
    count(*) FILTER (name = 'weights') || '-' || coalesce(bit_xor(md5_number(value)) FILTER (name = 'weights'), 0) AS weights
FROM part;
