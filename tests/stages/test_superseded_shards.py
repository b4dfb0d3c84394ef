"""Shards that a build supersedes: a kept published version still finds them, and no split has them."""

from __future__ import annotations

import inspect
import shutil
from itertools import islice
from pathlib import Path

from tests.stages.conftest import built_corpus, changeable, context_of, run_all
from warehouse.database import Warehouse
from warehouse.doctor import examine_home
from warehouse.publishing import KEPT_VERSIONS, versions
from warehouse.serving.requests import TokenRequest
from warehouse.serving.source import Source
from warehouse.stages import shard
from warehouse.tokens.shards import PAST_SUFFIX, open_split

__all__ = ["built_corpus", "changeable"]


def test_every_kept_version_has_its_shards_and_a_split_only_the_newest(
    changeable: tuple[Warehouse, Path],
) -> None:
    warehouse, folder = changeable
    context = context_of(warehouse)
    shard.run(context)
    first = versions(warehouse.home)[-1].number
    new = folder / "new.txt"
    new.write_text(inspect.cleandoc(str(shutil.copytree.__doc__)))
    try:
        run_all(context)
    finally:
        new.unlink()
    numbers = [version.number for version in versions(warehouse.home)]
    assert first in numbers[:-1]
    source = Source(warehouse)
    assert not source.warm().failures
    for number in numbers:
        request = TokenRequest(recipe=context.recipe.name, version=number)
        assert list(islice(source.tokens(request), 1))
    source.close()
    tokens = next(warehouse.home.tokens.iterdir())
    assert list(tokens.glob(f"*{PAST_SUFFIX}"))
    for split in ("train", "validation", "select", "confirm", "report"):
        assert all(opened.manifest.split == split for opened in open_split(tokens, split, verify=True))
    assert examine_home(warehouse, fix=False) == []

    for _ in range(KEPT_VERSIONS):
        with warehouse.write("another night") as connection:
            connection.execute('UPDATE meta.materialization SET "at" = now()')
        warehouse.publish()
    shard.run(context)
    assert not list(tokens.glob(f"*{PAST_SUFFIX}"))
    assert len(list(tokens.glob("*.bin"))) == len(list(tokens.glob("*-[0-9][0-9]-*.json")))
