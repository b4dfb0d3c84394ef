UPDATE corpus.corpus
SET
    split_unit = CASE
        WHEN counted.n_documents >= $min_documents THEN 'document'
        WHEN counted.n_characters >= $min_characters THEN 'section'
        ELSE 'chunk'
    END
FROM (
    SELECT
        source_file.corpus,
        count(*) AS n_documents,
        sum(document.n_characters) AS n_characters
    FROM corpus.document AS document
    INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
    INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
    GROUP BY source_file.corpus
) AS counted
WHERE corpus.corpus = counted.corpus AND corpus.split_unit IS NULL;
