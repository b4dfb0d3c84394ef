"""What counts as another version of code: what it computes and the data that it reads, not how it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.code_versions import code_version


@pytest.fixture
def version_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]  # a closure
    """Writes files of a package and gives its version."""
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "a_package_of_this_test"
    package.mkdir()
    (package / "__init__.py").touch()

    def version(files: dict[str, str]) -> str:
        for name, content in files.items():
            (package / name).write_text(content)
        code_version.cache_clear()
        return code_version(package.name)

    return version


def test_code_and_data_count_and_comments_do_not(version_of) -> None:  # type: ignore[no-untyped-def]  # see above
    first = version_of({"rule.py": "LIMIT = 3\n", "table.npz": "one"})
    assert version_of({"rule.py": '"""What it is."""\nLIMIT = 3  # why\n'}) == first
    assert version_of({"rule.py": "LIMIT = 4\n"}) != first
    assert version_of({"rule.py": "LIMIT = 3\n"}) == first
    assert version_of({"table.npz": "another"}) != first
