-- A stage is under way; it was before, where an earlier run did not reach its end.
DELETE FROM meta.unfinished
WHERE asset = $asset AND scope = $scope;

INSERT INTO meta.unfinished (asset, scope, run_id, "at")
VALUES ($asset, $scope, $run_id, now());
