-- Each chunk's percentile, of those whose corpus and language are bounded by one key.
SELECT
    perplexity.chunk_id,
    CAST(
        CASE WHEN $within = 'language' THEN perplexity.percentile_in_language ELSE perplexity.percentile_in_corpus END AS DOUBLE
    ) AS value
FROM corpus.perplexity AS perplexity
INNER JOIN corpus.chunk AS chunk ON perplexity.chunk_id = chunk.chunk_id
INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
WHERE
    perplexity.reference_id = $reference_id
    AND coalesce(source_file.corpus = $corpus, NOT list_contains($bounded_corpora, source_file.corpus))
    AND coalesce(
        document.language = $language,
        $corpus IS NOT NULL OR NOT list_contains($bounded_languages, document.language)
    )
