-- Chunks of current files without a score under a reference, with the folds in which their clusters were sampled.
WITH
member AS (
    SELECT
        chunk.chunk_id,
        coalesce(duplicate_cluster.cluster_id, chunk.chunk_id) AS cluster_key,
        chunk.text_sha256,
        chunk.text_file,
        chunk.text_row,
        source_file.retired_at IS NULL AND chunk.n_bytes > 0 AS is_current
    FROM corpus.chunk AS chunk
    INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
    INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
    INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
    LEFT JOIN corpus.duplicate_cluster AS duplicate_cluster
        ON chunk.chunk_id = duplicate_cluster.chunk_id AND duplicate_cluster.threshold = CAST($threshold AS REAL)
    WHERE chunk.chunking_id = $chunking_id
),

sampled AS (
    -- A text that was sampled and has left its cluster, with its file retired, was seen all the same.
    SELECT
        member.cluster_key,
        member.text_sha256,
        reference_sample.fold
    FROM member
    INNER JOIN corpus.reference_sample AS reference_sample
        ON member.chunk_id = reference_sample.chunk_id AND reference_sample.reference_id = $reference_id
),

linked AS (
    SELECT
        member_a.text_sha256,
        member_b.text_sha256 AS other_sha256
    FROM corpus.duplicate_pair AS pair
    INNER JOIN member AS member_a ON pair.chunk_a = member_a.chunk_id
    INNER JOIN member AS member_b ON pair.chunk_b = member_b.chunk_id
    WHERE pair.jaccard >= CAST($threshold AS REAL)
),

linked_text AS (
    SELECT text_sha256, other_sha256 FROM linked
    UNION ALL
    SELECT other_sha256, text_sha256 FROM linked
),

likeness AS (
    SELECT
        member.chunk_id,
        sampled.fold
    FROM member
    INNER JOIN sampled ON member.cluster_key = sampled.cluster_key
    UNION
    SELECT
        member.chunk_id,
        sampled.fold
    FROM member
    INNER JOIN sampled ON member.text_sha256 = sampled.text_sha256
    UNION
    -- Members of two clusters may be alike where neither is a centre.
    SELECT
        member.chunk_id,
        sampled.fold
    FROM member
    INNER JOIN linked_text ON member.text_sha256 = linked_text.text_sha256
    INNER JOIN sampled ON linked_text.other_sha256 = sampled.text_sha256
),

seen AS (
    SELECT
        chunk_id,
        list_sort(list(fold)) AS sampled_folds
    FROM likeness
    GROUP BY chunk_id
)

SELECT
    member.chunk_id,
    member.cluster_key,
    member.text_file,
    member.text_row,
    coalesce(seen.sampled_folds, []) AS sampled_folds
FROM member
LEFT JOIN seen ON member.chunk_id = seen.chunk_id
WHERE
    member.is_current
    AND NOT EXISTS (
        FROM corpus.perplexity AS perplexity
        WHERE perplexity.chunk_id = member.chunk_id AND perplexity.reference_id = $reference_id
    )
ORDER BY member.text_file, member.text_row;
