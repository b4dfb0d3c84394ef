-- vanished: ids of files that are no longer there.
UPDATE corpus.source_file
SET retired_at = now()
WHERE source_id IN (SELECT unnest(CAST($vanished AS UUID [])));
