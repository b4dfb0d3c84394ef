-- The chunks that took part in the join. One whose file is away took no part: it is compared when it comes back.
UPDATE corpus.signature
SET compared = member.is_current
FROM read_parquet($members) AS member
WHERE
    signature.chunk_id = CAST(hex(member.chunk_id) AS UUID)
    AND signature.sketch_id = $sketch_id
    AND signature.compared <> member.is_current;

-- Band keys of other sketches are compared with nothing any more.
DELETE FROM corpus.signature
WHERE sketch_id <> $sketch_id;
