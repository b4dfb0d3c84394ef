"""Shards that a later run of ``tokens/shard`` took the place of: set aside while a published version names them.

What lives here: which files stay. What does not: what setting aside is (``tokens/shards.py``).
"""

from __future__ import annotations

from pathlib import Path

from warehouse.database import Connection, Warehouse, query
from warehouse.errors import CorruptArtefact
from warehouse.files import names, remove
from warehouse.publishing import versions
from warehouse.tokens.shards import PAST_SUFFIX, remove_shard, set_aside


def clear_superseded(warehouse: Warehouse, recipe: str, folder: Path) -> None:
    """Leave the current shards alone in a folder, save those set aside that a kept published version names.

    Whoever has another one open keeps its mapping. Publish before: then the newest version names only what is there.

    Args:
        warehouse: its working database names the current shards.
        recipe: whose shards these are.
        folder: of its tokenizer, below ``tokens/``.
    """
    with warehouse.read() as connection:
        current = _named_shards(connection, recipe)
    past = _shards_of_versions(warehouse, recipe)
    manifests = [folder / name for name in names(folder, "*-[0-9][0-9]-*.json")]
    for manifest in manifests:
        if manifest.stem not in current:
            if past is None or manifest.stem in past:
                set_aside(manifest)
            else:
                remove_shard(manifest)
    for name in names(folder, f"*{PAST_SUFFIX}"):
        manifest = folder / name
        if manifest.stem in current:
            remove(manifest)
        elif past is not None and manifest.stem not in past:
            remove_shard(manifest)


def _named_shards(connection: Connection, recipe: str) -> set[str]:
    rows = connection.execute(query("shard_files"), {"recipe": recipe}).fetchall()
    return {Path(path).stem for path, _ in rows}


def _shards_of_versions(warehouse: Warehouse, recipe: str) -> set[str] | None:
    """Names of the shards that the kept versions have; None where one is damaged, so that nobody knows."""
    named: set[str] = set()
    try:
        for published in versions(warehouse.home):
            with warehouse.published_file(published.path) as connection:
                named |= _named_shards(connection, recipe)
    except CorruptArtefact:
        return None
    return named
