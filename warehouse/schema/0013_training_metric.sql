-- What else a training logs at a step.

ALTER TABLE models.training_metric ADD COLUMN train_bits_per_byte DOUBLE;
ALTER TABLE models.training_metric ADD COLUMN gradient_norm DOUBLE;
ALTER TABLE models.training_metric ADD COLUMN utilisation DOUBLE;
COMMENT ON COLUMN models.training_metric.train_bits_per_byte IS 'The loss in bits a UTF-8 byte of training text; NULL in rows of before.';
COMMENT ON COLUMN models.training_metric.gradient_norm IS 'Euclidean norm of the gradient at this step, before clipping; NULL in rows of before.';
COMMENT ON COLUMN models.training_metric.utilisation IS 'Operations a second as a share of a matrix product measured at the start; NULL where it was not measured.';
