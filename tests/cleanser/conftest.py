"""Fixtures of the cleanser's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cleanser.packing import Found, found_in


@pytest.fixture
def unpacked(tmp_path: Path) -> Callable[..., Found]:
    """Writes bytes to a file whose name says nothing, and unpacks it."""

    def unpack(data: bytes, **options: object) -> Found:
        path = tmp_path / "file"
        path.write_bytes(data)
        return found_in(path, **options)

    return unpack
