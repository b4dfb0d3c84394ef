-- A hash of which documents count now, with their languages and what of their corpora is drawn into a split.
SELECT
    CAST(count(*) AS VARCHAR) || '-'
    || CAST(
        coalesce(
            bit_xor(
                md5_number(
                    document.document_id || ' ' || source_file.corpus || ' ' || document.language
                    || ' ' || coalesce(corpus.split_unit, '')
                )
            ),
            0
        ) AS VARCHAR
    )
FROM corpus.document AS document
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
INNER JOIN corpus.corpus AS corpus ON source_file.corpus = corpus.corpus
WHERE
    source_file.retired_at IS NULL
    AND source_file.sha256 NOT IN (SELECT sha256 FROM corpus.forgotten WHERE scope = 'file');
