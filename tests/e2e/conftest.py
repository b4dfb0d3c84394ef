"""A corpus for the end-to-end tests: text that every machine with Python has."""

from pathlib import Path
from pydoc_data.topics import topics

import pytest


@pytest.fixture(scope="module")
def small_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Python's own documentation topics, a file each."""
    folder = tmp_path_factory.mktemp("topics")
    for number, (_, text) in enumerate(sorted(topics.items())):
        (folder / f"{number}.txt").write_text(text)
    return folder
