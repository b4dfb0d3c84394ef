"""Forgetting: what goes, what stays, and that it does not come back."""

from __future__ import annotations

from tests.forgetting.conftest import Letters
from tests.forgetting.searching import found_windows, windows
from warehouse.forgetting.forget import forget


def test_no_window_of_a_forgotten_file_is_left_anywhere(letters: Letters) -> None:
    text = (letters.folder / "007.txt").read_text()
    assert found_windows(letters.warehouse, windows(text))
    forgotten = forget(letters.warehouse, ["007.txt"], "asked to")
    assert found_windows(letters.warehouse, windows(text)) == {}
    assert forgotten.consequences.n_documents == 1
