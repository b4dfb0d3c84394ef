-- Chunks without a score under a reference, and those whose model has seen a likeness since; each with a clean model.
-- A mask has a bit for each model of the reference: whether it saw the chunk, its text or a text like it.
WITH
member AS (
    SELECT
        chunk.chunk_id,
        coalesce(duplicate_cluster.cluster_id, chunk.chunk_id) AS cluster_key,
        chunk.text_sha256,
        chunk.text_file,
        chunk.text_row,
        current_chunk.chunk_id IS NOT NULL AND chunk.n_bytes > 0 AS is_current
    FROM corpus.chunk AS chunk
    LEFT JOIN corpus.current_chunk AS current_chunk ON chunk.chunk_id = current_chunk.chunk_id
    LEFT JOIN corpus.duplicate_cluster AS duplicate_cluster
        ON chunk.chunk_id = duplicate_cluster.chunk_id AND duplicate_cluster.threshold = CAST($threshold AS REAL)
    WHERE chunk.chunking_id = $chunking_id
),

-- Files that were retired since are among the members: their texts were seen all the same.
sampled AS (
    SELECT
        member.cluster_key,
        member.text_sha256,
        ((1::BIGINT << $n_models) - 1)
        & ~bit_or(CASE WHEN reference_sample.fold >= 0 THEN 1::BIGINT << reference_sample.fold ELSE 0 END) AS mask
    FROM corpus.reference_sample AS reference_sample
    INNER JOIN member ON reference_sample.chunk_id = member.chunk_id
    WHERE reference_sample.reference_id = $reference_id
    GROUP BY member.chunk_id, member.cluster_key, member.text_sha256
),

of_cluster AS (
    SELECT
        cluster_key,
        bit_or(mask) AS mask
    FROM sampled
    GROUP BY cluster_key
),

of_text AS (
    SELECT
        text_sha256,
        bit_or(mask) AS mask
    FROM sampled
    GROUP BY text_sha256
),

-- Members of two clusters may be alike where neither is a centre; a pair stands for all copies of its two texts.
pair_of_texts AS (
    SELECT
        member_a.text_sha256 AS text_a,
        member_b.text_sha256 AS text_b
    FROM corpus.duplicate_pair AS pair
    INNER JOIN member AS member_a ON pair.chunk_a = member_a.chunk_id
    INNER JOIN member AS member_b ON pair.chunk_b = member_b.chunk_id
    WHERE pair.jaccard >= CAST($threshold AS REAL)
),

of_like_text AS (
    SELECT
        linked.text_sha256,
        bit_or(of_text.mask) AS mask
    FROM (
        SELECT
            text_a AS text_sha256,
            text_b AS other_sha256
        FROM pair_of_texts
        UNION ALL
        SELECT
            text_b,
            text_a
        FROM pair_of_texts
    ) AS linked
    INNER JOIN of_text ON linked.other_sha256 = of_text.text_sha256
    GROUP BY linked.text_sha256
),

waiting AS (
    SELECT
        member.chunk_id,
        member.text_sha256,
        member.text_file,
        member.text_row,
        member.is_current,
        perplexity.fold IS NOT NULL AS is_stale,
        coalesce(of_cluster.mask, 0) | coalesce(of_text.mask, 0) | coalesce(of_like_text.mask, 0) AS mask
    FROM member
    LEFT JOIN corpus.perplexity AS perplexity
        ON member.chunk_id = perplexity.chunk_id AND perplexity.reference_id = $reference_id
    LEFT JOIN of_cluster ON member.cluster_key = of_cluster.cluster_key
    LEFT JOIN of_text ON member.text_sha256 = of_text.text_sha256
    LEFT JOIN of_like_text ON member.text_sha256 = of_like_text.text_sha256
    WHERE
        CASE
            WHEN perplexity.fold IS NULL THEN member.is_current
            ELSE
                (coalesce(of_cluster.mask, 0) | coalesce(of_text.mask, 0) | coalesce(of_like_text.mask, 0))
                & (1::BIGINT << perplexity.fold) <> 0
        END
)

SELECT
    chunk_id,
    text_file,
    text_row,
    is_stale,
    -- The clean model with the smallest draw by the text: so a model that drops out changes nothing for the others, and
    -- copies of a text have one score.
    CASE
        WHEN is_current
            THEN
                list_min(
                    list_transform(
                        list_filter(range($n_models), lambda model: mask & (1::BIGINT << model) = 0),
                        lambda model: {
                            'draw': meta.uniform_draw(lower(hex(text_sha256)), $seed || '-model-' || model),
                            'model': model::SMALLINT
                        }
                    )
                ).model
    END AS fold
FROM waiting
ORDER BY text_file, text_row;
