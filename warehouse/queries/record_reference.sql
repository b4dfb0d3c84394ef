-- A pin that is drawn again from the same text is the same pin.
DELETE FROM corpus.reference
WHERE reference_id = $reference_id;

DELETE FROM corpus.reference_sample
WHERE reference_id = $reference_id;

INSERT INTO corpus.reference (reference_id, kind, path, sha256, definition, pinned_at)
VALUES ($reference_id, $kind, $path, $sha256, $definition, now());

INSERT INTO corpus.reference_sample BY NAME FROM sampled;
