SELECT count(*) > 0 FROM models.checkpoint WHERE experiment = ? AND kind = 'trunk';
