-- Records what forget_resolve.sql found, before anything of it goes. found_document, found_chunk: what published versions
-- held besides. Whatever follows can be done again from these rows after a kill.
INSERT INTO corpus.forgotten (sha256, scope, reason, "at")
SELECT DISTINCT
    wanted.sha256,
    wanted.scope,
    $reason,
    now()
FROM wanted
ANTI JOIN corpus.forgotten AS forgotten ON wanted.sha256 = forgotten.sha256 AND wanted.scope = forgotten.scope;

INSERT INTO corpus.unfinished_forget (sha256, scope, subject)
SELECT
    wanted.sha256,
    wanted.scope,
    min(wanted.subject)
FROM wanted
ANTI JOIN corpus.unfinished_forget AS unfinished
    ON wanted.sha256 = unfinished.sha256 AND wanted.scope = unfinished.scope
GROUP BY wanted.sha256, wanted.scope;

INSERT INTO corpus.forgotten_document (document_id, stream_id, source_id, byte_start, byte_end, sha256)
WITH found AS (
    SELECT document_id, stream_id, source_id, byte_start, byte_end, sha256
    FROM gone_document
    UNION
    SELECT document_id, stream_id, source_id, byte_start, byte_end, sha256
    FROM found_document
)

SELECT
    document_id,
    any_value(stream_id),
    any_value(source_id),
    any_value(byte_start),
    any_value(byte_end),
    min(sha256)
FROM found
ANTI JOIN corpus.forgotten_document USING (document_id)
GROUP BY document_id;

INSERT INTO corpus.forgotten_chunk (chunk_id, document_id, source_id, text_file, text_row)
WITH found AS (
    SELECT chunk_id, document_id, source_id, text_file, text_row
    FROM gone_chunk
    UNION
    SELECT chunk_id, document_id, source_id, text_file, text_row
    FROM found_chunk
)

SELECT
    chunk_id,
    any_value(document_id),
    any_value(source_id),
    text_file,
    text_row
FROM found
ANTI JOIN corpus.forgotten_chunk USING (chunk_id, text_file, text_row)
GROUP BY chunk_id, text_file, text_row;

-- A passage that stands everywhere is shown in a hundred chunks.
INSERT INTO corpus.forgotten_likeness (sha256, chunk_id, likeness, jaccard)
WITH alike AS (
    SELECT gone.sha256, chunk.chunk_id, 'same_text' AS likeness, CAST(1.0 AS REAL) AS jaccard
    FROM gone_chunk AS gone
    INNER JOIN corpus.chunk AS chunk ON gone.text_sha256 = chunk.text_sha256
    UNION ALL
    SELECT gone.sha256, pair.chunk_b, 'near_duplicate', pair.jaccard
    FROM gone_chunk AS gone
    INNER JOIN corpus.duplicate_pair AS pair ON gone.chunk_id = pair.chunk_a
    UNION ALL
    SELECT gone.sha256, pair.chunk_a, 'near_duplicate', pair.jaccard
    FROM gone_chunk AS gone
    INNER JOIN corpus.duplicate_pair AS pair ON gone.chunk_id = pair.chunk_b
    UNION ALL
    SELECT gone.sha256, elsewhere.chunk_id, 'shared_passage', NULL
    FROM gone_chunk AS gone
    INNER JOIN corpus.repeated_range AS here ON gone.chunk_id = here.chunk_id
    INNER JOIN corpus.repeated_range AS elsewhere
        ON here.passage_id = elsewhere.passage_id AND here.chunk_id <> elsewhere.chunk_id
    QUALIFY row_number() OVER (PARTITION BY here.passage_id ORDER BY elsewhere.chunk_id) <= 100
)

SELECT
    alike.sha256,
    alike.chunk_id,
    arg_min(alike.likeness, CASE alike.likeness WHEN 'same_text' THEN 1 WHEN 'near_duplicate' THEN 2 ELSE 3 END),
    max(alike.jaccard)
FROM alike
SEMI JOIN corpus.chunk AS chunk ON alike.chunk_id = chunk.chunk_id
ANTI JOIN gone_chunk AS gone ON alike.chunk_id = gone.chunk_id
WHERE alike.sha256 IS NOT NULL
GROUP BY alike.sha256, alike.chunk_id;

INSERT INTO models.stale_checkpoint (checkpoint_id, since)
WITH place AS (
    SELECT shard_chunk.shard_id, shard_chunk.token_start, shard_chunk.token_end
    FROM tokens.shard_chunk AS shard_chunk
    WHERE
        shard_chunk.chunk_id IN (SELECT chunk_id FROM gone_chunk)
        OR shard_chunk.chunk_id IN (SELECT chunk_id FROM found_chunk)
),

trained AS (
    SELECT checkpoint_range.checkpoint_id
    FROM models.checkpoint_range AS checkpoint_range
    INNER JOIN place
        ON checkpoint_range.shard_id = place.shard_id
        AND checkpoint_range.token_start < place.token_end
        AND checkpoint_range.token_end > place.token_start
    UNION
    SELECT checkpoint_id
    FROM models.checkpoint_source
    WHERE source_id IN (SELECT source_id FROM gone_source)
)

SELECT DISTINCT
    ancestor.checkpoint_id,
    now()
FROM lineage.model_ancestor AS ancestor
INNER JOIN trained ON ancestor.ancestor_id = trained.checkpoint_id
ANTI JOIN models.stale_checkpoint AS stale ON ancestor.checkpoint_id = stale.checkpoint_id;

-- The counts of an n-gram model give its text back, so it goes; what is left of its sample stays, to be trained on again.
INSERT INTO corpus.broken_pin (reference_id, kind, path, definition, pinned_at, broken_at)
SELECT reference_id, kind, path, definition, pinned_at, now()
FROM corpus.reference
WHERE
    kind = 'ngram'
    AND reference_id IN (
        SELECT reference_id FROM corpus.reference_sample
        WHERE chunk_id IN (SELECT chunk_id FROM gone_chunk) OR chunk_id IN (SELECT chunk_id FROM found_chunk)
    );

DELETE FROM corpus.reference WHERE reference_id IN (SELECT reference_id FROM corpus.broken_pin);

DELETE FROM corpus.reference_sample
WHERE
    reference_id IN (SELECT reference_id FROM corpus.broken_pin)
    AND (chunk_id IN (SELECT chunk_id FROM gone_chunk) OR chunk_id IN (SELECT chunk_id FROM found_chunk));

-- The next build runs these stages again; each does only what is missing.
DELETE FROM meta.materialization
WHERE
    asset IN (
        'corpus/document', 'corpus/chunk', 'corpus/repeated_passage', 'corpus/duplicate', 'corpus/contamination',
        'corpus/perplexity', 'corpus/search_index', 'corpus/training_chunk', 'tokens/shard'
    )
    OR starts_with(asset, 'reports/');
