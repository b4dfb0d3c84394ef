-- Models that saw text which was forgotten since, as kinds and folders below models/.
SELECT checkpoint.kind || ' ' || checkpoint.path || if(checkpoint.alias IS NULL, '', ' (' || checkpoint.alias || ')') AS model
FROM models.checkpoint AS checkpoint
SEMI JOIN models.stale_checkpoint AS stale ON checkpoint.checkpoint_id = stale.checkpoint_id
ORDER BY model;
