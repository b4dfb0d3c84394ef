"""The page that a finished training leaves in its folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fakesmrt_assets.reports.training import write_training_report
from fakesmrt_models.training.metrics import METRICS_FILE
from fakesmrt_models.training.request import TrainingResult
from fakesmrt_models.training.samples import SAMPLES_FILE, Sample, SampleLog

RESULT = {
    "model": "model", "preset": "1mx", "n_parameters": 1_048_576, "n_steps": 40, "n_tokens": 327_680,
    "steps_taken": 40, "seconds": 30.0, "tokens_per_second": 10_922.7, "train_bits_per_byte": 2.345,
    "validation_bits_per_byte": 2.456, "seed": 0, "bootstrap_seed": None, "parent": None,
    "weights_sha256": "ab" * 32, "dtype": "bfloat16", "dtype_reason": "the processor multiplies it faster",
    "compiled": False, "compiled_reason": "it does not pay", "native": True, "native_reason": "it was built",
    "n_steps_reason": "as requested", "attempts": 1, "learning_rate": 0.02, "request": "cd" * 16,
}  # fmt: skip

LINE = {
    "n_steps": 40, "n_tokens": 8_192, "loss": 5.0, "train_bits_per_byte": 2.9, "bits_per_byte": None,
    "learning_rate": 0.02, "gradient_norm": 1.5, "tokens_per_second": 11_000.0, "utilisation": None,
    "seconds": 1.0,
}  # fmt: skip


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """The folder of a training that wrote two lines of metrics and a sample."""
    lines = [LINE | {"step": 1}, LINE | {"step": 2, "bits_per_byte": 2.456, "utilisation": 0.47}]
    (tmp_path / METRICS_FILE).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "request.json").write_text('{"preset": "1mx"}')
    SampleLog(tmp_path / SAMPLES_FILE, 2).append([Sample(2, "Once upon", " a <b>time</b>")])
    return tmp_path


def page(run_dir: Path, **changes: object) -> str:
    result = TrainingResult.from_json(json.dumps(RESULT | changes).encode(), run_dir)
    return write_training_report(run_dir, result).read_text()


def test_it_shows_the_course_what_the_model_writes_and_why_it_was_trained_so(run_dir: Path) -> None:
    html = page(run_dir)
    assert "<b>2.456</b> on text kept unseen" in html
    assert "47 % of the speed of a large matrix product" in html
    assert html.count("data:image/png;base64,") == 2
    assert "the processor multiplies it faster" in html


def test_what_a_model_writes_is_shown_and_never_interpreted(run_dir: Path) -> None:
    assert " a &lt;b&gt;time&lt;/b&gt;" in page(run_dir)


def test_a_training_without_validation_or_samples_has_a_page_too(run_dir: Path) -> None:
    (run_dir / SAMPLES_FILE).unlink()
    html = page(run_dir, validation_bits_per_byte=None)
    assert "kept unseen" not in html
    assert "What it writes" not in html
