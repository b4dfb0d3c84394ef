-- References that were removed because they held forgotten text, and that no other has replaced yet.
SELECT broken.path
FROM corpus.broken_pin AS broken
WHERE
    NOT EXISTS (
        FROM corpus.reference AS reference
        WHERE
            reference.kind = broken.kind
            AND CAST(reference.definition AS VARCHAR) = CAST(broken.definition AS VARCHAR)
            AND reference.pinned_at > broken.broken_at
    )
ORDER BY broken.path;
